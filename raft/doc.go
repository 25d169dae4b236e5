// Package raft is the replicated write path: groups of commands go through hashicorp/raft, and what was committed is
// applied to the node's store exactly once.
//
// # The way of a write
//
//	Node.Propose               proposer.go   on the leader, from any goroutine
//	proposer.proposeGroup      proposer.go   all units that wait become one log entry
//	hashicorp/raft                           has it on disk here and on a quorum: it is committed
//	                                         from here on, on every node:
//	VersionFSM.ApplyBatch      fsm.go        notes the entry and returns a handle on its outcomes
//	queue.push, queue.take     queue.go      between hashicorp's FSM goroutine and the applier's
//	applier.apply              applier.go    takes all entries that wait, as one transaction:
//	decider.decide             decide.go       each command's outcome, by the service, which stages its row
//	applier.commit             applier.go      the rows and the state row, by CommitInternal, or nothing
//	progress.publish           progress.go     readers see the applied index, whoever waits for it goes on
//	handle.resolve             queue.go        the proposer has its outcomes
//
// "Applied" always means that the applier has committed an entry's effect to the store and has published it.
// Hashicorp's AppliedIndex, Barrier and Apply futures mean less: that the entry was handed to the FSM.
//
// # Goroutines
//
// Hashicorp/raft calls VersionFSM on its own FSM goroutine, which never waits and never touches a store. The applier is
// one goroutine; the decider, the stage behind it and the store's writes are its own, and it alone calls
// VersionServiceInterface, whose methods end in Internal. Everything on Node may be called from any goroutine: what the
// others have to know goes through the queue, in which the applier is told what to do, and progress, in which it tells
// how far it is.
//
// # Where to read on
//
// service.go says what is wanted of the service. initializer.go and node.go put a node together, engine.go and members.go
// say who leads and who the members are. Then the files above, in their order; reconcile.go is how the applier finds out
// what its store lacks, applier_log.go how it goes on where the queue has nothing.
//
// Each room beside them has one subject; recovery alone imports this package:
//
//	contact    what hashicorp/raft says, and which members do not answer, in the log
//	datadir    the locked directory: whose it is, where its parts lie, whether it is still there
//	judge      what a store is worth, held against the directory and the log
//	raftlog    what Raft must not forget, on disk: log, term, vote, snapshots
//	readindex  the index that a read must reflect, and the proof that this node still leads
//	recovery   a new cluster with what one stopped node, or one database, has
//	restore    a backup in the place of all records, through the log
//	snapshot   the form of snapshots and backups, without Raft
//	transport  the port, and connections whose ends know each other
//
// No hashicorp type leaves this package and its rooms.
package raft
