package wire

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/model"
)

// What is remembered of a request is compared for as long as it is remembered, by nodes of every release
// that the cluster has meanwhile. If a name changes, a retry over an update is refused.
func TestRequestsKeepTheirNames(t *testing.T) {
	units := sampleUnits()
	single := NewIdempotency("key", &units[1], false)
	require.Equal(t, "2c70e12b7a0646f92279f427c7b38e73", hex.EncodeToString(single.Key[:]))
	require.Equal(t, "5de95405c07cd9a7e99b519597b7a0e7", hex.EncodeToString(single.Request[:]))
	require.NotEqual(t, single.Request, NewIdempotency("key", &units[1], true).Request, "a batch of one is answered otherwise")
	require.NotEqual(t, single.Key, NewIdempotency("Key", &units[1], false).Key)
	require.Equal(t, single.Request, NewIdempotency("other", &units[1], false).Request)
	retried := units[1]
	retried.Origin = &model.Origin{At: 1, By: "another"}
	require.Equal(t, single, NewIdempotency("key", &retried, false), "a retry comes later, and may come with another token")

	seen := map[[16]byte]int{}
	for i, u := range append(sampleUnits(), samplePlain()...) {
		u.Atomic = i%2 == 0
		seen[NewIdempotency("key", &u, true).Request] = i
	}
	require.Len(t, seen, 6, "of seven requests two are the same")
}

// A remembered outcome that comes back as another would tell a client that retries something else than
// the client that did not.
func TestRememberedOutcomesComeBack(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for range 2000 {
		m := model.DedupRecord{Revision: random.Uint64N(1 << 53)}
		want := make([]model.Outcome, 1+random.IntN(12))
		for i := range want {
			code := model.OutcomeDone + model.OutcomeCode(random.IntN(5))
			want[i] = model.Outcome{Code: code}
			switch {
			case code == model.OutcomeDone:
				want[i].Revision = m.Revision + uint64(i)
			case random.IntN(2) == 0:
				want[i].Revision = random.Uint64()
			}
		}
		m.Outcomes = PackOutcomes(want)
		got, err := UnpackOutcomes(&m)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
}

// Hundreds of thousands are kept in memory.
func TestRememberedOutcomesAreSmall(t *testing.T) {
	done := make([]model.Outcome, model.UnitCommandsMax)
	for i := range done {
		done[i] = model.Outcome{Code: model.OutcomeDone, Revision: 4096 + uint64(i)}
	}
	require.Len(t, PackOutcomes(done[:1]), 1)
	require.Len(t, PackOutcomes(done), 2)
	for i := range done {
		done[i] = model.Outcome{Code: model.OutcomeRevisionMismatch, Revision: 1<<64 - 1}
	}
	require.LessOrEqual(t, len(PackOutcomes(done)), packedBytesMax)
}

func TestDamagedDedupRecordsAreRefused(t *testing.T) {
	m := model.DedupRecord{Idempotency: *NewIdempotency("key", &model.Unit{}, false), Revision: 4096, Outcomes: PackOutcomes([]model.Outcome{{Code: model.OutcomeDone, Revision: 4096}})}
	whole := AppendDedupRecord(nil, &m)
	got, err := ReadDedupRecord(bufio.NewReader(bytes.NewReader(whole)))
	require.NoError(t, err)
	require.Equal(t, m, got)
	for cut := range whole {
		_, err := ReadDedupRecord(bufio.NewReader(bytes.NewReader(whole[:cut])))
		require.ErrorIs(t, err, model.ErrCorrupt)
	}
	for name, outcomes := range map[string]string{
		"none": "", "no code": "\x10", "a code of no dedup record": "\x16", "a run of none": "\x01", "too long a run": "\x81\xfe\x01",
		"no revision": "\x1a", "more than a unit has": "\x81\x7d\x81\x7d",
	} {
		_, err := UnpackOutcomes(&model.DedupRecord{Outcomes: outcomes})
		require.ErrorIs(t, err, model.ErrCorrupt, name)
	}
}

func FuzzReadDedupRecord(f *testing.F) {
	m := model.DedupRecord{Revision: 4096, Outcomes: PackOutcomes([]model.Outcome{{Code: model.OutcomeDone, Revision: 4096}, {Code: model.OutcomeAlreadyExists, Revision: 9}})}
	f.Add(AppendDedupRecord(nil, &m))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := ReadDedupRecord(bufio.NewReader(bytes.NewReader(data)))
		if err != nil {
			require.ErrorIs(t, err, model.ErrCorrupt)
			return
		}
		outcomes, err := UnpackOutcomes(&m)
		require.NoError(t, err)
		require.NotEmpty(t, outcomes)
		require.LessOrEqual(t, len(outcomes), model.UnitCommandsMax)
	})
}
