package service

import (
	"log/slog"

	"versiond/raft"
)

// NewThrowawayService decides and stores commands without a Raft node, for a recovery that is offline.
// It does what the apply path of a node does, and has nothing else.
func NewThrowawayService(mysql *VersionMysqlService, redis *VersionRedisService, log *slog.Logger) raft.VersionServiceInterface {
	return newStateMachine(mysql, redis, unobserved{}.Diverged, log)
}
