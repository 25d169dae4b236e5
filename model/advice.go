package model

// RejoinAdvice ends every message about a data directory that can only be made anew. To empty one is safe while
// others have what is in it, so it says first how to see that, and what to do where nobody has.
const RejoinAdvice = "if GET /peers on another node shows a majority of the members reachable, with applied indexes no lower than this node's last, " +
	"stop this node, empty its data directory and start it: it joins again and is sent everything; " +
	"otherwise keep the directory, which may be the only one with what was acknowledged, and run versiond recover or restore a backup"
