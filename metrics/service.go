package metrics

import (
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"versiond/model"
)

// operationBatch is the operation of a whole batch; its items count as writes of their own operations.
const operationBatch = "batch"

// operations are those of single writes.
var operations = map[model.CommandType]string{model.CommandAdd: "add", model.CommandUpdate: "update", model.CommandDelete: "delete"}

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

func newService(f factory) *Service {
	single := slices.Sorted(maps.Values(operations))
	s := &Service{
		writes:         f.NewCounterVec(prometheus.CounterOpts{Name: "versiond_writes_total", Help: "Writes that clients asked this node for, those of batches included, by operation and outcome."}, []string{"operation", "outcome"}),
		writeDuration:  f.histograms("versiond_write_duration_seconds", "Time from the arrival of a write, or of a batch, to its outcome, whatever that is.", durationBuckets, "operation", append(single, operationBatch)...),
		forwarded:      f.histogram("versiond_forwarded_group_commands", "Commands of one request by which this node passed writes to the leader.", countBuckets),
		rounds:         newRounds(f, "versiond_read_round", "rounds in which this node found out an index to read at, alone or by asking the leader", "level", string(model.LevelLinearizable), string(model.LevelLeader)),
		reloadDuration: f.histograms("versiond_reload_duration_seconds", "Time that one reload of Redis took, by outcome; skipped when another node was at it.", longBuckets, "outcome", outcomeDone, outcomeFailed, outcomeSkipped),
		checkDuration:  f.histograms("versiond_store_check_duration_seconds", "Time that one reading of all rows took to hold them against the running checksum, by outcome.", longBuckets, "outcome", outcomeSame, outcomeDiffers, outcomeFailed),
		divergences:    f.counters("versiond_store_divergences_total", "Times that the store was found to differ from the log, by how: at the start, by reading all rows or looking at the tables, by a client's read, by the checksums of a majority of the members.", "found_by", "start", "reading", "read", "peers"),
	}
	for _, operation := range single {
		for _, o := range append([]string{outcomeDone, outcomeFailed}, outcomes...) {
			s.writes.WithLabelValues(operation, o)
		}
	}
	return s
}

// Written counts one write that a client asked for; err is what came of it.
func (s *Service) Written(command model.CommandType, err error, took time.Duration) {
	operation := operations[command]
	s.writes.WithLabelValues(operation, outcomeOf(err)).Inc()
	s.writeDuration.WithLabelValues(operation).Observe(took.Seconds())
}

// BatchWritten counts each item of a batch that a client asked for, as far as it can be, and times the batch.
func (s *Service) BatchWritten(unit model.Unit, result model.UnitResult, err error, took time.Duration) {
	for i, c := range unit.Commands {
		if result.Wrong[i] != nil {
			continue
		}
		failure := err
		if err == nil {
			failure = result.Outcomes[i].Err()
		}
		s.writes.WithLabelValues(operations[c.Type], outcomeOf(failure)).Inc()
	}
	s.writeDuration.WithLabelValues(operationBatch).Observe(took.Seconds())
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
