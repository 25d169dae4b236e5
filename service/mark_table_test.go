package service

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A table that loses, invents or mixes up ids decides writes wrongly, on this node alone. Few ids and
// few hashes make it collide, wrap around, grow, take entries again and pack its ids.
func TestMarkTableIsAMap(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for round := range 40 {
		table, model, hashes := markTable{}, map[string]mark{}, 1+random.Uint32N(1<<(round/3))
		for step := range 3000 {
			id := fmt.Sprint(random.IntN(60)) + strings.Repeat("x", random.IntN(2)*200)
			hash := hashOf(id) % hashes
			if random.IntN(5) < 2 {
				table.remove(hash, id)
				delete(model, id)
			} else {
				m := mark{revision: uint64(step), hash: random.Uint64()}
				table.set(hash, id, m)
				model[id] = m
			}
			require.Equal(t, len(model), table.live)
		}
		for i := range 60 {
			for _, id := range []string{fmt.Sprint(i), fmt.Sprint(i) + strings.Repeat("x", 200)} {
				want, there := model[id]
				got, exists := table.get(hashOf(id)%hashes, id)
				require.Equal(t, there, exists, "%q in round %d", id, round)
				require.Equal(t, want, got, "%q in round %d", id, round)
			}
		}
		require.LessOrEqual(t, len(table.entries), 120, "entries that were given back are not taken again")
		require.LessOrEqual(t, len(table.ids), 2*120*204+wastedMin, "ids that are gone are kept")
	}
}

func hashOf(id string) (hash uint32) {
	for i := range len(id) {
		hash = hash*31 + uint32(id[i])
	}
	return hash
}

// BenchmarkRevisionIndex measures an index of a million ids.
func BenchmarkRevisionIndex(b *testing.B) {
	const count = 1_000_000
	x, ids := newRevisionIndex(), make([]string, count)
	for i := range ids {
		ids[i] = fmt.Sprintf("com.example.app-%07d", i)
	}
	b.Run("set", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			x.set(ids[i%count], mark{revision: uint64(i)})
		}
	})
	b.Run("get", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			x.get(ids[i*7919%count])
		}
	})
}
