// Package raft is the replicated write path: it proposes groups of commands through
// hashicorp/raft, takes what was committed, and applies it to the node's store exactly once.
//
//	Node.Propose -> proposer (groups) -> hashicorp Apply -> committed on a quorum
//	VersionFSM.ApplyBatch -> queue -> applier -> VersionServiceInterface -> released waiters
//
// Goroutines: hashicorp/raft calls VersionFSM on its own FSM goroutine, which never waits and never
// touches a store. The applier is one goroutine; it alone calls the methods of
// VersionServiceInterface, whose names end in Internal. Everything on Node may be called from any
// goroutine. "Applied" here always means that the applier has committed an entry's effect to the
// store and published it; hashicorp's AppliedIndex, Barrier and Apply futures mean less than that.
//
// Rooms, of which recovery alone imports this package:
//
//	contact    what hashicorp/raft says, and which members do not answer, in the log
//	datadir    the locked directory: whose it is, where its parts lie, whether it is still there
//	judge      what a store is worth, held against the directory and the log
//	raftlog    what Raft must not forget, on disk: log, term, vote, snapshots
//	recovery   a new cluster with what one stopped node, or one database, has
//	restore    a backup in the place of all records, through the log
//	snapshot   the form of snapshots and backups, without Raft
//	transport  the port, and connections whose ends know each other
//
// No hashicorp type leaves this package and its rooms.
package raft
