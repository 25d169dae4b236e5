// Package wire is the byte form of what leaves the process: the commands of a log entry, the same
// commands on their way to the leader and the outcomes on their way back, reads that go the same way, the
// steps of a restore, and the records, dedup records and changes of snapshots and backups.
//
// A log entry is kept for as long as the log is, and is read by every later release: formats carry
// a version byte, numbers are explicit and only ever added to, and testdata holds entries that must
// decode for ever. Decoding trusts nothing: it bounds every count and refuses what it does not know,
// because a node that guesses drifts away from the others.
package wire
