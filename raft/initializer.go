package raft

import "versiond/raft/raftlog"

// RaftInitializerImpl makes the Raft node of one versiond node.
type RaftInitializerImpl struct{ Config NodeConfig }

// InitRaft opens what the node keeps for Raft, makes the VersionFSM on the service and starts the Raft node over
// both. The service's Internal methods may be called from the moment that InitRaft is.
func (i RaftInitializerImpl) InitRaft(service VersionServiceInterface) (*Node, error) {
	observer, ending := i.Config.Observer, newEnding()
	if observer == nil {
		observer = unobserved{}
	}
	stores, err := raftlog.Open(i.Config.Dir.Path(), raftlog.Options{
		Log: i.Config.Log, SegmentBytes: i.Config.Tuning.SegmentBytes,
		WriteFailed: observer.LogFailed, Unreadable: ending.fail, Wrap: i.Config.wrapLog,
	})
	if err != nil {
		return nil, err
	}
	return NewRaftNode(i.Config, newVersionFSM(service, stores, observer, ending))
}
