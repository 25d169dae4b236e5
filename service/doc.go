// Package service is what versiond does: it validates and proposes writes, decides them in the
// apply, and serves reads as current as they were asked for.
//
//	AddVersion -> write -> raft.Node.Propose on the leader, writeForwarder -> leader elsewhere
//	raft applier -> AddVersionInternal ... CommitInternal -> PublishInternal -> CacheInternal
//	GetVersionByID -> read -> readForwarder -> LeaderRead, on a follower that is behind its own log
//	                       -> readHere: freshIndex -> awaitApplied -> lookUp (revision index, MemoryDB, Redis, MySQL)
//	                       -> readThere -> LeaderRead, where this node's store cannot
//
// Methods whose names end in Internal run on the apply path, on the applier's one goroutine (the
// reload, which rebuilds derived state, runs on its ticker's). Everything else may be called from
// any goroutine.
package service
