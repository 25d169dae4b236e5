package service

import (
	"time"

	"versiond/model"
)

// Observer is told what the service does, as it happens and on the goroutine that does it: an Observer
// returns at once. Its methods may be called from several goroutines.
type Observer interface {
	// Written is called for each write that a client asked for; err is what came of it.
	Written(command model.CommandType, err error, took time.Duration)
	// BatchWritten is called for each batch that a client asked for; err is why it was not decided.
	BatchWritten(unit model.Unit, outcome model.UnitOutcome, err error, took time.Duration)
	// Forwarded is called for each request that passes writes to the leader.
	Forwarded(commands int)
	// ReadRound is called for each round of finding out an index to read at, which reads shared.
	ReadRound(level model.Level, reads int, took time.Duration, err error)
	// Reloaded is called for each reload of Redis; done is false when it is another node's turn.
	Reloaded(done bool, took time.Duration, err error)
	// Checked is called when all rows were read and held against the running checksum, or were to be.
	// An error that matches model.ErrStoreDiffers means that they are others.
	Checked(took time.Duration, err error)
	// Diverged is called when the store was found to differ from the log, in one of the few ways that
	// foundBy names.
	Diverged(foundBy string)
}
