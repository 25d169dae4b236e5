// Package service is what versiond does: it validates and proposes writes, decides them in the
// apply, and serves reads as current as they were asked for.
//
//	AddVersion -> write -> submit -> propose -> raft.Node.Propose on the leader
//	                              -> forwarder -> ApplyCommands, on the leader, elsewhere
//	raft applier -> stateMachine: AddVersionInternal ... CommitInternal -> PublishInternal -> CacheInternal
//	GetVersionByID -> read -> forwarder -> LeaderRead, on a follower that is behind its own log
//	                       -> readHere: freshIndex -> awaitApplied -> lookup (revision index, MemoryDB, Redis, MySQL)
//	                       -> readThere -> LeaderRead, where this node's store cannot
//
// What a node knows of its records without reading them is in state, who is a member and who leads in cluster, what keeps a
// node from serving records that the log did not make in integrity, who watches in changes, and what comes after what in
// versions. They never import this package.
//
// Methods whose names end in Internal run on the apply path, on the applier's one goroutine (the
// reload, which rebuilds derived state, runs on its ticker's). Everything else may be called from
// any goroutine.
package service
