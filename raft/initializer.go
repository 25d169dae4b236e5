package raft

// RaftInitializerImpl makes the Raft node of one versiond node.
type RaftInitializerImpl struct{ Config NodeConfig }

// InitRaft makes the VersionFSM on the service and starts the Raft node over it. The service's
// Internal methods may be called from the moment that InitRaft is.
func (i RaftInitializerImpl) InitRaft(service VersionServiceInterface) (*Node, error) {
	return NewRaftNode(i.Config, newVersionFSM(service))
}
