package kubernetes

import (
	"fmt"
	"os"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"versiond/test/harness/cluster"
)

// program is the versiond that TestMain has built.
var program string

func TestMain(m *testing.M) { os.Exit(cluster.Main(m, &program)) }

const patience = 30 * time.Second

// Pods with the variables and names of the manifests, started all at once, make one cluster, and one that comes back with
// another address is found again by its name. If this fails, nobody gets further than kubectl apply.
func TestPodsMakeACluster(t *testing.T) {
	p := newPods(t)
	var all []string
	for i := range p.set.Spec.Replicas {
		all = append(all, p.name(i))
		p.place(p.name(i))
	}
	for _, pod := range all {
		p.start(program, pod)
	}
	p.requireReady(all...)
	for _, pod := range all {
		_, members := p.get(pod, "/peers")
		require.Len(t, regexp.MustCompile(`"suffrage":"voter"`).FindAllString(members, -1), len(all), members)
	}

	moved := all[1]
	p.running[moved].Kill()
	p.place(moved)
	p.start(program, moved)
	p.requireReady(all...)
}

// requireReady waits for what the probes ask for.
func (p *pods) requireReady(pods ...string) {
	p.t.Helper()
	for _, pod := range pods {
		for _, path := range []string{"/livez", "/readyz"} {
			cluster.Eventually(p.t, patience, pod+path, func() error {
				if status, body := p.get(pod, path); status != 200 {
					return fmt.Errorf("%d %s", status, body)
				}
				return nil
			})
		}
	}
}
