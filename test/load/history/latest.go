package history

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"net/url"
	"strings"
	"sync"
	"time"

	"versiond/model"
	"versiond/test/harness/cluster"
)

// latestRecords take the newest version in turn.
const latestRecords = 2

// latestTimeout is short: a node that is cut off waits for what it was not sent yet, and nobody shall wait with it.
const latestTimeout = 500 * time.Millisecond

// Latest is one client that releases ever newer versions, and others that ask any node for the newest one from the last index on
// that any of them saw: none of them may be told an older one.
type Latest struct {
	prefix  string
	which   url.Values
	nodes   []*cluster.Client
	pause   time.Duration
	wg      sync.WaitGroup
	writing sync.Mutex // held during each write

	mu sync.Mutex
	// newest is the newest release that was seen, index the greatest index.
	newest, index uint64
	answers       int
	writes        []*cluster.Write
	found         []cluster.Violation
}

// StartLatest lets a client release versions of records whose ids begin with prefix, and others ask for them, until the context
// ends: by their ids, or by the prefix, which finds what a list would have.
func StartLatest(ctx context.Context, nodes []*cluster.Client, prefix string, byIDs bool, askers int, pause time.Duration) *Latest {
	l := &Latest{prefix: prefix, which: url.Values{"prefix": {prefix + "-"}}, nodes: nodes, pause: pause}
	if byIDs {
		var ids []string
		for number := range uint64(latestRecords) {
			ids = append(ids, l.id(number))
		}
		l.which = url.Values{"id": {strings.Join(ids, ",")}}
	}
	l.wg.Go(func() { l.release(ctx) })
	for i := range askers {
		random := rand.New(rand.NewPCG(uint64(i), 11))
		l.wg.Go(func() {
			for l.rest(ctx) {
				l.ask(nodes[random.IntN(len(nodes))], []model.Level{model.LevelNone, model.LevelNone, model.LevelLeader, model.LevelLinearizable}[random.IntN(4)])
			}
		})
	}
	return l
}

// id returns the id of the record that takes a release.
func (l *Latest) id(number uint64) string { return fmt.Sprint(l.prefix, "-", number%latestRecords) }

// OnlyRead lets nothing be released until it is called again, and returns when no write is on its way.
func (l *Latest) OnlyRead(on bool) {
	if on {
		l.writing.Lock()
	} else {
		l.writing.Unlock()
	}
}

// Wait waits until every client has its last answer. It returns the writes, how many questions were answered, and what was wrong
// with that.
func (l *Latest) Wait() (writes []*cluster.Write, answers int, found []cluster.Violation) {
	l.wg.Wait()
	return l.writes, l.answers, l.found
}

func (l *Latest) rest(ctx context.Context) bool {
	select {
	case <-time.After(l.pause):
		return true
	case <-ctx.Done():
		return false
	}
}

// release updates the records in turn, each only as it knows it: a write that comes late finds another revision then.
func (l *Latest) release(ctx context.Context) {
	var revisions [latestRecords]uint64
	at := 0
	for number := uint64(1); l.rest(ctx); number++ {
		i := number % latestRecords
		if !l.write(l.nodes[at%len(l.nodes)], number, &revisions[i]) {
			at++
		}
	}
}

// write makes a record the release with this number, and reports whether the node has served it well.
func (l *Latest) write(node *cluster.Client, number uint64, revision *uint64) bool {
	l.writing.Lock()
	defer l.writing.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), requestTimeout)
	defer cancel()
	record := model.VersionDB{ID: l.id(number), VersionNo: fmt.Sprintf("1.%d.0", number), Platform: platform}
	w := &cluster.Write{ID: record.ID, Op: model.ChangeUpdate, VersionNo: record.VersionNo, Platform: record.Platform, After: *revision, Until: math.MaxUint64}
	var result model.Result
	var err error
	if *revision == 0 {
		w.Op = model.ChangeCreate
		result, err = node.Add(ctx, record)
	} else {
		result, err = node.Update(ctx, record, *revision)
	}
	if err == nil {
		*revision = result.Record.Revision
		w.Acknowledge(*revision, 0)
		l.saw(number, result.Index)
	}
	if err == nil || cluster.Unknown(err) {
		l.writes = append(l.writes, w)
	}
	if err == nil || cluster.Refused(err) {
		return err == nil
	}
	if now, err := node.Get(ctx, record.ID, model.ReadOptions{}); err == nil { // what it was not told of may have been done
		*revision = now.Record.Revision
	}
	return false
}

// saw notes what a client knows now.
func (l *Latest) saw(release, index uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.newest, l.index = max(l.newest, release), max(l.index, index)
}

func (l *Latest) known() (newest, index uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.newest, l.index
}

// ask asks a node for the newest version, as of what is known.
func (l *Latest) ask(node *cluster.Client, level model.Level) {
	ctx, cancel := context.WithTimeout(context.Background(), latestTimeout)
	defer cancel()
	newest, index := l.known()
	result, err := node.Latest(ctx, l.which, model.ReadOptions{Level: level, MinIndex: index})
	if err != nil && cluster.CodeOf(err) != "not_found" {
		return
	}
	var release uint64
	if err == nil {
		_, err = fmt.Sscanf(result.Record.VersionNo, "1.%d.0", &release)
	}
	l.saw(release, result.Index)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.answers++
	if release < newest || result.Index < index {
		l.found = append(l.found, violation(cluster.Stale, "the newest of %q at %q was %d (%v), labelled %d; %d was known at %d, which was sent as min_index", l.prefix, level, release, err, result.Index, newest, index))
	}
}
