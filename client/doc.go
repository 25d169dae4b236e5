// Package client asks a cluster of versiond for its records, from Go. It stands alone: it needs the standard library, and
// nothing else of this module.
//
//	c, err := client.New(client.Config{Addresses: []string{"http://10.0.0.1:8081", "http://10.0.0.2:8081"}, Token: token})
//	record, err := c.Get(ctx, "myapp")
//	if errors.Is(err, client.ErrNotFound) { … }
//
// # Several addresses
//
// Any node takes any request. A Client stays with the address that answered last, and goes to the next one when a node
// does not answer or cannot do what it is asked. It tries until Config.RetryFor is over or the context ends, waits between
// two rounds, and waits as long as a node asks it to (Retry-After).
//
// # Writes
//
// Create, Update, Replace, Delete and Batch send an Idempotency-Key of their own with each call, so that a write whose
// answer was lost is sent again, to any node, and is done once. When its outcome is still not known in the end, the error
// is ErrOutcomeUnknown: then, and only then, it may have been done, or may still be done. Every other error says that it
// was not. A call that is made anew has a new key, so read before you do that, or choose the key with Key.
//
// # How fresh a read is
//
// Reads are linearizable unless Config.Level or At says less. A Client that Session has made remembers the newest log
// index that it was shown, and never reads anything older, from whichever node: it reads its own writes, and what it reads
// does not go back, also at LevelNone, which asks no quorum.
//
// # Errors
//
// What a node refuses is an *Error. Its Code is for programs; errors.Is compares it, as with ErrNotFound or
// ErrRevisionMismatch. ErrUnavailable matches all that says: nothing was done, try later.
package client
