package system_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/model"
	"versiond/test/harness/cluster"
)

const (
	packagesGenerated = 2100
	packageWorkers    = 16
	updateEvery       = 7
	deleteEvery       = 11
)

// Names and versions as a package manager has them, with + . ~ : and - in them, go through JSON, URLs,
// the Raft log, the databases and Redis unchanged. If this fails, some layer decodes, folds or pads
// what it should pass on.
func TestRealInput(t *testing.T) {
	onBoth(t, func(t *testing.T, m mode) {
		c := cluster.Start(t, m.config())
		packages := somePackages(t)
		expected := writePackages(t, c, packages)
		rows := c.RequireEqualStores()
		requireRecords(t, expected, rows)
		requirePrefixes(t, c, rows)
		status, err := c.Leader().Client.Status(t.Context())
		require.NoError(t, err)
		c.RequireGets(rows, status.Applied)
		t.Logf("%d packages, %d records", len(packages), len(rows))
	})
}

// requirePrefixes lists what begins alike, on every node, page by page.
func requirePrefixes(t *testing.T, c *cluster.Cluster, rows []model.Version) {
	t.Helper()
	for _, prefix := range []string{"@scope/", "@scope/pkg-1", "libstdc++", "é", "/", "no such"} {
		want := []string{}
		for _, row := range rows {
			if strings.HasPrefix(row.ID, prefix) && row.Platform == "all" {
				want = append(want, row.ID)
			}
		}
		for _, n := range c.Nodes {
			require.Equal(t, want, mustList(t, n, url.Values{"prefix": {prefix}, "platform": {"all"}, "limit": {"7"}}), "%s on %s", prefix, n.ID)
		}
	}
}

func mustList(t *testing.T, n *cluster.Node, query url.Values) []string {
	t.Helper()
	ids := []string{}
	for {
		status, answer, err := n.Client.Send(t.Context(), false, http.MethodGet, "/version?"+query.Encode(), nil, "")
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, status, "%s", answer)
		var page struct {
			Items      []model.VersionDB
			NextCursor string
		}
		require.NoError(t, json.Unmarshal(answer, &page))
		for _, each := range page.Items {
			ids = append(ids, each.ID)
		}
		if page.NextCursor == "" {
			return ids
		}
		query.Set("cursor", page.NextCursor)
	}
}

// somePackages returns those of this machine with REAL_INPUT=1, and otherwise some that look like them.
func somePackages(t *testing.T) []model.VersionDB {
	t.Helper()
	if os.Getenv("REAL_INPUT") == "1" {
		return installedPackages(t)
	}
	random := rand.New(rand.NewPCG(1, 2))
	packages := make([]model.VersionDB, packagesGenerated)
	for i := range packages {
		packages[i] = generatedPackage(random, i)
	}
	return packages
}

func installedPackages(t *testing.T) []model.VersionDB {
	t.Helper()
	out, err := exec.Command("dpkg-query", "-W", "-f", "${binary:Package}\t${Version}\t${Architecture}\n").Output()
	require.NoError(t, err)
	var packages []model.VersionDB
	for line := range strings.Lines(string(out)) {
		fields := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		packages = append(packages, model.VersionDB{ID: fields[0], VersionNo: fields[1], Platform: fields[2]})
	}
	require.NotEmpty(t, packages)
	return packages
}

// generatedPackage has everything that Debian's names and versions may have. Every third name differs
// from another only in case, sign or a dot, which a database may take for the same.
func generatedPackage(random *rand.Rand, i int) model.VersionDB {
	names := []string{"libstdc++%d", "libstdc%d", "g++-%d", "python3.%d-minimal", "Python3.%d-minimal", "libc6:i386-%d", "fonts-~%d", "a%%2B%d", "x.org_%d", "%d.0", "%d.00", "ſharp-%d", "sharp-%d", "é%d", "e\u0301%d",
		"@scope/pkg-%d", "github.com/go-sql-driver/mysql/v%d", "registry.example.com:5000/team/app%d", "/%d/"}
	versions := []string{"2:%d.4-1+deb12u%d", "%d.0~rc%d", "1:%d.%d+dfsg-3.1", "%d.%02d~git20240101.abcdef-1", "0%d.%d", "%de%d"}
	platforms := []string{"amd64", "all", "arm64"}
	return model.VersionDB{
		ID:        fmt.Sprintf(names[i%len(names)], i/len(names)),
		VersionNo: fmt.Sprintf(versions[random.IntN(len(versions))], random.IntN(30), random.IntN(100)),
		Platform:  platforms[random.IntN(len(platforms))],
	}
}

// writePackages creates the packages on the nodes in turn, then updates every 7th and deletes every
// 11th, and returns what must be there.
func writePackages(t *testing.T, c *cluster.Cluster, packages []model.VersionDB) map[string]model.VersionDB {
	t.Helper()
	expected := make([]*model.VersionDB, len(packages))
	inParallel(t, len(packages), func(ctx context.Context, i int) error {
		node := func(step int) *cluster.Client { return c.Nodes[(i+step)%len(c.Nodes)].Client }
		made, err := settled(ctx, node(0), packages[i], func() (model.Result, error) { return node(0).Add(ctx, packages[i]) })
		if err == nil && (i+1)%updateEvery == 0 {
			next := packages[i]
			next.VersionNo += "+b1"
			made, err = settled(ctx, node(1), next, func() (model.Result, error) { return node(1).Update(ctx, next, made.Revision) })
		}
		expected[i] = &made
		if err == nil && (i+1)%deleteEvery == 0 {
			_, err = settled(ctx, node(2), model.VersionDB{ID: packages[i].ID}, func() (result model.Result, err error) {
				result.Index, err = node(2).Delete(ctx, packages[i].ID, made.Revision)
				return result, err
			})
			expected[i] = nil
		}
		return err
	})
	records := map[string]model.VersionDB{}
	for _, r := range expected {
		if r != nil {
			records[r.ID] = *r
		}
	}
	return records
}

// settleTries bounds how often a write is tried on a machine so busy that leaders lose their lease.
const settleTries = 5

// settled does a write as a careful user does: one that was refused for want of a leader is tried
// again, and after one of unknown outcome the record is read first. It returns the record that is there
// in the end; want has only an id for a delete.
func settled(ctx context.Context, c *cluster.Client, want model.VersionDB, write func() (model.Result, error)) (model.VersionDB, error) {
	for try := 1; ; try++ {
		result, err := write()
		if err == nil {
			return result.Record, nil
		}
		if code := cluster.CodeOf(err); try == settleTries || code != "outcome_unknown" && code != "no_leader" {
			return model.VersionDB{}, err
		}
		read, errRead := c.Get(ctx, want.ID, model.ReadOptions{})
		found := read.Record
		if errRead == nil && found.VersionNo == want.VersionNo || cluster.CodeOf(errRead) == "not_found" && want.VersionNo == "" {
			return found, nil
		}
	}
}

// inParallel calls do for every number below count, from a few workers.
func inParallel(t *testing.T, count int, do func(ctx context.Context, i int) error) {
	t.Helper()
	errs := make([]error, packageWorkers)
	var wg sync.WaitGroup
	for w := range packageWorkers {
		wg.Go(func() {
			for i := w; i < count && errs[w] == nil; i += packageWorkers {
				if err := do(t.Context(), i); err != nil {
					errs[w] = fmt.Errorf("number %d: %w", i, err)
				}
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		require.NoError(t, err)
	}
}

func requireRecords(t *testing.T, expected map[string]model.VersionDB, rows []model.Version) {
	t.Helper()
	require.Len(t, rows, len(expected))
	for _, row := range rows {
		require.Equal(t, expected[row.ID], model.VersionDB(row))
	}
}
