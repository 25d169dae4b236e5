package cli

import (
	"fmt"
	"os"
	"os/user"
	"strconv"
)

// ensureOwn refuses to go on as root in another user's directory, the first of paths that there is: what root writes
// into it the node could not use, as it runs as that user.
func ensureOwn(euid int, paths ...string) error {
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			continue // whoever needs it says what is wrong
		}
		if uid := ownerOf(info); euid == 0 && uid > 0 {
			return fmt.Errorf("%s belongs to %s, whose node could not use what root writes into it; run this as that user: sudo -u %[2]s versiond recover …"+
				" (or, where the node runs as root, give root the directory)", path, userText(uid))
		}
		return nil
	}
	return nil
}

// userText returns a user as sudo -u takes it.
func userText(uid int) string {
	id := strconv.Itoa(uid)
	if known, err := user.LookupId(id); err == nil {
		return known.Username
	}
	return "'#" + id + "'"
}
