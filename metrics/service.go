package metrics

import (
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"versiond/model"
)

// Service counts and times what the service layer does.
type Service struct {
	writes         *prometheus.CounterVec
	writeDuration  *prometheus.HistogramVec
	forwarded      prometheus.Histogram
	rounds         rounds
	reloadDuration *prometheus.HistogramVec
	checkDuration  *prometheus.HistogramVec
	divergences    *prometheus.CounterVec
}

// newService makes every series that there can be at once: a rate over one that begins with its first
// event misses that event.
func newService(f factory) *Service {
	s := &Service{
		writes:         f.counters("versiond_writes_total", "Writes that clients asked this node for, those of batches included, by operation and outcome.", "operation", "outcome"),
		writeDuration:  f.histograms("versiond_write_duration_seconds", "Time from the arrival of a write, or of a batch, to its outcome, whatever that is.", durationBuckets, "operation"),
		forwarded:      f.histogram("versiond_forwarded_group_commands", "Commands of one request by which this node passed writes to the leader.", countBuckets),
		rounds:         newRounds(f, "versiond_read_round", "rounds in which this node found out an index to read at, alone or by asking the leader", "level", string(model.LevelLinearizable), string(model.LevelLeader)),
		reloadDuration: f.histograms("versiond_reload_duration_seconds", "Time that one reload of Redis took, by outcome; skipped when another node was at it.", longBuckets, "outcome"),
		checkDuration:  f.histograms("versiond_store_check_duration_seconds", "Time that one reading of all rows took to hold them against the running checksum, by outcome.", longBuckets, "outcome"),
		divergences:    f.counters("versiond_store_divergences_total", "Times that the store was found to differ from the log, by how: at the start, by reading all rows or looking at the tables, by a client's read, by the checksums of a majority of the members.", "found_by"),
	}
	for _, outcome := range []string{outcomeSame, outcomeDiffers, outcomeFailed} {
		s.checkDuration.WithLabelValues(outcome)
	}
	for _, foundBy := range []string{"start", "reading", "read", "peers"} {
		s.divergences.WithLabelValues(foundBy)
	}
	for _, outcome := range []string{outcomeDone, outcomeFailed, outcomeSkipped} {
		s.reloadDuration.WithLabelValues(outcome)
	}
	for _, command := range []model.CommandType{model.CommandAdd, model.CommandUpdate, model.CommandDelete} {
		s.beginWrites(operationOf(command))
	}
	s.writeDuration.WithLabelValues(operationBatch)
	return s
}

func (s *Service) beginWrites(operation string) {
	s.writeDuration.WithLabelValues(operation)
	s.writes.WithLabelValues(operation, outcomeDone)
	s.writes.WithLabelValues(operation, outcomeFailed)
	for _, o := range outcomes {
		s.writes.WithLabelValues(operation, o)
	}
}

// Written counts one write that a client asked for; err is what came of it.
func (s *Service) Written(command model.CommandType, err error, took time.Duration) {
	operation := operationOf(command)
	s.writes.WithLabelValues(operation, outcomeOf(err)).Inc()
	s.writeDuration.WithLabelValues(operation).Observe(took.Seconds())
}

// operationBatch is the operation of a whole batch; its items count as writes of their own operations.
const operationBatch = "batch"

// BatchWritten counts each item of a batch that a client asked for, and times the batch.
func (s *Service) BatchWritten(unit model.Unit, outcome model.UnitOutcome, err error, took time.Duration) {
	for i, c := range unit.Commands {
		failure := err
		if err == nil {
			failure = outcome.Outcomes[i].Err()
		}
		s.writes.WithLabelValues(operationOf(c.Type), outcomeOf(failure)).Inc()
	}
	s.writeDuration.WithLabelValues(operationBatch).Observe(took.Seconds())
}

func operationOf(command model.CommandType) string {
	switch command {
	case model.CommandAdd:
		return "add"
	case model.CommandUpdate:
		return "update"
	case model.CommandDelete:
		return "delete"
	}
	return "other"
}

// Forwarded counts one request with which writes were passed to the leader.
func (s *Service) Forwarded(commands int) { s.forwarded.Observe(float64(commands)) }

// ReadRound counts one round that reads of a level shared.
func (s *Service) ReadRound(level model.Level, reads int, took time.Duration, err error) {
	s.rounds.observe(string(level), reads, took, err)
}

// Reloaded counts one reload of Redis; done is false when it was another node's turn.
func (s *Service) Reloaded(done bool, took time.Duration, err error) {
	outcome := outcomeSkipped
	switch {
	case err != nil:
		outcome = outcomeFailed
	case done:
		outcome = outcomeDone
	}
	s.reloadDuration.WithLabelValues(outcome).Observe(took.Seconds())
}

// Checked counts one reading of all rows that held them against the running checksum.
func (s *Service) Checked(took time.Duration, err error) {
	outcome := outcomeSame
	switch {
	case errors.Is(err, model.ErrStoreDiffers):
		outcome = outcomeDiffers
	case err != nil:
		outcome = outcomeFailed
	}
	s.checkDuration.WithLabelValues(outcome).Observe(took.Seconds())
}

// Diverged counts one time that the store was found to differ from the log.
func (s *Service) Diverged(foundBy string) { s.divergences.WithLabelValues(foundBy).Inc() }
