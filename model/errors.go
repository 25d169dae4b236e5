package model

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"syscall"
)

// Errors that cross package borders. They are compared with errors.Is, and have their codes in one table;
// the controller has the one that turns them into HTTP.
var (
	// ErrNotFound is returned when no record has the id.
	ErrNotFound = errors.New("no record has this id")
	// ErrAlreadyExists is returned when a record with the id is there already.
	ErrAlreadyExists = errors.New("a record with this id exists already")
	// ErrRevisionMismatch is returned when a request depends on another revision than the record's.
	ErrRevisionMismatch = errors.New("the record has another revision than this request depends on")
	// ErrNotNewer is returned when an update was to be done only if its version comes after the record's.
	ErrNotNewer = errors.New("the versionNo does not come after the one that the record has; nothing was changed")
	// ErrRevisionGone is returned when not all changes since a revision are known; a *RevisionGone says since which they are.
	ErrRevisionGone = errors.New("not all changes since this revision are known any more")
	// ErrIdempotencyKeyReused is returned when an idempotency key was used before, for another request.
	ErrIdempotencyKeyReused = errors.New("this Idempotency-Key was used for another request; nothing was changed")
	// ErrNotDone is returned for an item of an all-or-nothing batch when another item stood in the way.
	ErrNotDone = errors.New("nothing was done, because another item of the batch was refused")

	// ErrNotLeader is returned when this node does not lead; nothing was proposed.
	ErrNotLeader = errors.New("this node is not the leader")
	// ErrNoLeader is returned when no leader is known within the deadline; nothing was proposed.
	ErrNoLeader = errors.New("no leader is known at the moment")
	// ErrOutcomeUnknown is returned when a write was proposed and its outcome cannot be told.
	ErrOutcomeUnknown = errors.New("whether this was done is not known, and it may still be done")
	// ErrTimeout is returned when a read did not become current enough within its deadline.
	ErrTimeout = errors.New("the read did not become current enough in time")
	// ErrTooManyRequests is returned when more waits than the node can hold; nothing was proposed.
	ErrTooManyRequests = errors.New("more requests are waiting than this node can take")
	// ErrStoreUnavailable is returned when the node's database does not answer; nothing was proposed.
	ErrStoreUnavailable = errors.New("the node's database does not answer")
	// ErrLogUnavailable is returned when the disk of the node's Raft log takes no writes and the node knows
	// of no other leader; nothing was proposed.
	ErrLogUnavailable = errors.New("the disk of this node takes no writes, and no other leader is known at the moment; see /readyz for what to do, or ask another node")
	// ErrNotCaughtUp is returned when the node's store is not current enough to be read.
	ErrNotCaughtUp = errors.New("this node has not caught up with the cluster yet")
	// ErrNodeRemoved is returned by a node that is no longer a member.
	ErrNodeRemoved = errors.New("this node was removed from the cluster; bring it back with /join on a member")
	// ErrNodeUnreachable is returned when no node answers at a peer address.
	ErrNodeUnreachable = errors.New("no versiond node answers at this address")
	// ErrNoSuccessor is returned when the voter that was to lead does not answer, or is not level in time.
	ErrNoSuccessor = errors.New("no other voter took over the lead")
	// ErrNoAnswer is returned, beside another error, when a node that was asked did not answer at all.
	ErrNoAnswer = errors.New("no answer came")
	// ErrNeverSent is returned, beside ErrNoAnswer, when the request did not reach that node.
	ErrNeverSent = errors.New("there was no connection")
	// ErrWrongNode is returned when the node that answers is not the one that was named, or belongs to another cluster.
	ErrWrongNode = errors.New("another node answers at this address")
	// ErrSecretsDiffer is returned when another node does not take this node's cluster secret. It is an
	// ErrWrongNode: such a node cannot be a member of this cluster.
	ErrSecretsDiffer = Explain(ErrWrongNode, "the nodes' cluster.secret differ")
	// ErrTLSFailed is returned when this node and another one do not come to speak TLS. It is an ErrWrongNode for the
	// same reason.
	ErrTLSFailed = Explain(ErrWrongNode, "the nodes do not come to speak TLS")
	// ErrUnauthorized is returned when a request shows no token, or one that is not known.
	ErrUnauthorized = errors.New("this needs a token that the node knows, in the header Authorization: Bearer …")
	// ErrForbidden is returned when the role of a token does not allow what was asked.
	ErrForbidden = errors.New("the role of this token does not allow this")
	// ErrIDInUse is returned when a join names an id whose node still answers at another address.
	ErrIDInUse = errors.New("a node with this id still answers at another address")
	// ErrAddressInUse is returned when a join names an address that another member has.
	ErrAddressInUse = errors.New("another member has this address")
	// ErrQuorumAtRisk is returned when a removal would leave voters alive that cannot form a quorum.
	ErrQuorumAtRisk = errors.New("the voters left alive could not form a quorum")
	// ErrNoSuchMember is returned when no member has the id.
	ErrNoSuchMember = errors.New("no member of the cluster has this id")
	// ErrInvalid is returned when an argument breaks a rule; a *ValidationError says which.
	ErrInvalid = errors.New("the request is not valid")
	// ErrNoState is returned when a database holds no state row: it is new, or was dropped.
	ErrNoState = errors.New("the database holds no versiond state")
	// ErrStateMoved is returned when the state row is not what the applier left: somebody else wrote.
	ErrStateMoved = errors.New("the state row is not what this node left")
	// ErrCorrupt is returned when bytes that this project wrote cannot be read back.
	ErrCorrupt = errors.New("the data is damaged")
	// ErrForeignStore is returned when a database or data directory belongs to another node or cluster.
	ErrForeignStore = errors.New("the storage belongs to another node or cluster")
	// ErrStoreDiffers is returned when a database holds other records than the log makes: somebody else
	// changed them, or the node went astray.
	ErrStoreDiffers = errors.New("store content differs from the log")
	// ErrInternal is returned when something is broken that no user can mend.
	ErrInternal = errors.New("internal error")
)

// IsAny reports whether an error is one of these.
func IsAny(err error, these ...error) bool {
	return slices.ContainsFunc(these, func(each error) bool { return errors.Is(err, each) })
}

// Explain returns an error of a kind that says in its own words what it is.
func Explain(kind error, words string) error { return &Explained{kind: kind, words: words} }

// Explained is an error with words for the user instead of its kind's own.
type Explained struct {
	kind  error
	words string
}

func (e *Explained) Error() string { return e.words }
func (e *Explained) Unwrap() error { return e.kind }

// FieldError describes what is wrong with one field or parameter and what would be right.
type FieldError struct {
	Field  string `json:"field"`
	Detail string `json:"detail"`
}

// ValidationError lists everything that is wrong with a request. It matches ErrInvalid.
type ValidationError struct{ Fields []FieldError }

// Invalid returns a ValidationError of one field.
func Invalid(field, detail string) *ValidationError {
	return &ValidationError{Fields: []FieldError{{Field: field, Detail: detail}}}
}

// Error names the first field; clients get them all.
func (e *ValidationError) Error() string {
	if len(e.Fields) == 0 {
		return ErrInvalid.Error()
	}
	return e.Fields[0].Field + ": " + e.Fields[0].Detail
}

// Is makes errors.Is(err, ErrInvalid) hold.
func (e *ValidationError) Is(target error) bool { return target == ErrInvalid }

// ItemsError is what is wrong with some commands of a batch that is atomic, by their places in it. It matches ErrInvalid.
type ItemsError struct{ Items map[int]error }

// Error implements error.
func (e *ItemsError) Error() string {
	return fmt.Sprintf("%d items of the batch are not valid", len(e.Items))
}

// Is makes errors.Is(err, ErrInvalid) hold.
func (e *ItemsError) Is(target error) bool { return target == ErrInvalid }

// AsDamage makes ErrCorrupt of what went wrong while bytes were read back, unless the system says that it could not read them:
// it may the next time.
func AsDamage(err error) error {
	var errno syscall.Errno
	if errors.As(err, &errno) && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrCorrupt, err)
}

// StoreError is what a node's database says when it answers with an error, or why its disk does not take something. It
// matches ErrStoreUnavailable.
type StoreError struct {
	// Detail has the database's own words, with its number, and what would help. Users are shown it.
	Detail string
	Cause  error
}

// Error implements error.
func (e *StoreError) Error() string { return e.Detail }

// Is makes errors.Is(err, ErrStoreUnavailable) hold.
func (e *StoreError) Is(target error) bool { return target == ErrStoreUnavailable }

// Unwrap returns the driver's error.
func (e *StoreError) Unwrap() error { return e.Cause }

// RevisionGone is an ErrRevisionGone with the oldest revision since which all changes are known.
type RevisionGone struct{ Oldest uint64 }

// Error returns what happened, and what to do.
func (e *RevisionGone) Error() string {
	return fmt.Sprintf("not all changes since this revision are known any more; begin again with since=0, or leave some out with since=%d, the oldest that is known", e.Oldest)
}

// Is makes errors.Is(err, ErrRevisionGone) hold.
func (e *RevisionGone) Is(target error) bool { return target == ErrRevisionGone }
