package raft

import "versiond/raft/raftlog"

// newTestFSM makes an FSM that no node has.
func newTestFSM(service VersionServiceInterface) *VersionFSM {
	return newVersionFSM(service, &raftlog.Stores{}, unobserved{}, newEnding())
}
