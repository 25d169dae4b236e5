package controller

import (
	"context"
	"io"

	"versiond/model"
	"versiond/service/changes"
	"versiond/service/versions"
)

// VersionService is what the controllers ask of the service layer. Every method may be called from
// any goroutine. Errors match the sentinels of package model; anything else is answered as an
// internal error. A context's deadline bounds every call.
type VersionService interface {
	// NodeID names this node. It never changes.
	NodeID() string
	// AppliedIndex is the last log index whose effect this node's store holds.
	AppliedIndex() uint64

	// AddVersion creates a record. It returns ErrAlreadyExists when the id is taken, and, as the other
	// writes do, ErrIdempotencyKeyReused when the key was used for another request.
	AddVersion(ctx context.Context, record model.VersionDB, opts model.WriteOptions) (model.Result, error)
	// UpdateVersion replaces a record. It returns ErrNotFound, or ErrRevisionMismatch when
	// opts.IfRevision is neither 0 nor the record's revision.
	UpdateVersion(ctx context.Context, record model.VersionDB, opts model.WriteOptions) (model.Result, error)
	// DeleteVersion removes a record. Its errors are those of UpdateVersion.
	DeleteVersion(ctx context.Context, id string, opts model.WriteOptions) (model.Result, error)
	// WriteBatch decides all commands of a unit. An error says that none of them was decided, a *model.ItemsError for what is
	// wrong with some of an atomic unit; what was refused, of an atomic unit too, is an outcome.
	WriteBatch(ctx context.Context, unit model.Unit, key string) (model.UnitResult, error)
	// GetVersionByID returns the record as current as opts asks, or ErrNotFound.
	GetVersionByID(ctx context.Context, id string, opts model.ReadOptions) (model.Result, error)
	// ListVersions returns one page in the order of the ids and the applied index it reflects.
	ListVersions(ctx context.Context, list model.ListOptions, opts model.ReadOptions) (model.Page, uint64, error)
	// History returns one page of the changes of a record and the applied index it reflects, or ErrNotFound for an id of which
	// nothing is known.
	History(ctx context.Context, which model.HistoryOptions, opts model.ReadOptions) (model.History, uint64, error)
	// Candidates returns records of which the newest is asked for, and the applied index that they reflect; a *model.ValidationError when they are more than model.CandidatesMax.
	Candidates(ctx context.Context, which model.Candidates, opts model.ReadOptions) (versions.Ranked, uint64, error)

	// Watch returns what follows the changes of a filter, and has to be closed: from all records or from now on, as current as opts
	// asks, or from a revision on. It returns ErrRevisionGone, ErrTooManyRequests, or a *model.ValidationError for a revision that
	// there is not yet. ctx bounds the beginning alone.
	Watch(ctx context.Context, request changes.Request, opts model.ReadOptions) (*changes.Watcher, error)

	// JoinRaftCluster makes the node that answers at address a member; one that is a member already
	// stays one.
	JoinRaftCluster(ctx context.Context, id, address string, voter bool) (model.Member, error)
	// DeleteFatalPeer removes a member. It returns ErrNoSuchMember, or ErrQuorumAtRisk unless forced.
	DeleteFatalPeer(ctx context.Context, id string, force bool) error
	// Leader returns who leads, or ErrNoLeader.
	Leader(ctx context.Context) (model.Leader, error)
	// TransferLeadership makes the member lead and returns the leader that came of it.
	TransferLeadership(ctx context.Context, id string) (model.Leader, error)
	// Peers returns every member and how it does.
	Peers(ctx context.Context) (model.Peers, error)

	// ApplyCommands proposes what a follower passed on and returns one outcome for each unit and the
	// applied index they reflect. It returns ErrNotLeader on every node but the leader.
	ApplyCommands(ctx context.Context, units []model.Unit) ([]model.UnitOutcome, uint64, error)

	// OpenBackup opens a view of all records, as current as opts asks, and returns the index that it is
	// of and a function that writes it and has to be called. ctx bounds the opening alone.
	OpenBackup(ctx context.Context, opts model.ReadOptions) (index uint64, write func(context.Context, io.Writer) error, err error)
	// Restore checks all of a backup and puts its records in the place of all records. Its errors keep
	// those of reading body.
	Restore(ctx context.Context, body io.Reader, opts model.RestoreOptions) (model.Restored, error)

	// Readiness returns every check; the node is ready when all are OK.
	Readiness(ctx context.Context) []model.Check
}
