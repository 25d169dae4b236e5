package kubernetes

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"versiond/test/harness/cluster"
	"versiond/test/harness/network"
)

const manifests = "../../deploy/kubernetes"

// secret is what an operator makes by the commands of deploy/kubernetes/README.md.
var secret = map[string]string{"tokens": "ci:write:0123456789abcdef,ops:admin:" + adminToken, "clusterSecret": clusterSecret}

const adminToken, clusterSecret = "fedcba9876543210", "a-secret-that-nodes-share"

// statefulSet is as much of one as is needed to do what Kubernetes does with it.
type statefulSet struct {
	Kind     string
	Metadata struct{ Name string }
	Spec     struct {
		ServiceName string `yaml:"serviceName"`
		Replicas    int
		Template    struct {
			Spec struct {
				EnableServiceLinks *bool `yaml:"enableServiceLinks"`
				Containers         []struct {
					Env   []variable
					Ports []struct {
						Name          string
						ContainerPort int `yaml:"containerPort"`
					}
				}
			}
		}
	}
}

type variable struct {
	Name, Value string
	ValueFrom   struct {
		FieldRef struct {
			FieldPath string `yaml:"fieldPath"`
		} `yaml:"fieldRef"`
		SecretKeyRef struct {
			Key      string
			Optional bool
		} `yaml:"secretKeyRef"`
	} `yaml:"valueFrom"`
}

func mustReadSet(t *testing.T) (set statefulSet) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(manifests, "statefulset.yaml"))
	require.NoError(t, err)
	require.NoError(t, yaml.Unmarshal(text, &set))
	require.Equal(t, "StatefulSet", set.Kind)
	require.False(t, *set.Spec.Template.Spec.EnableServiceLinks)
	return set
}

// env returns what the container of a pod is started with.
func (s *statefulSet) env(t *testing.T, pod string) (env []string) {
	t.Helper()
	for _, v := range s.Spec.Template.Spec.Containers[0].Env {
		value, from := v.Value, v.ValueFrom
		if from.FieldRef.FieldPath == "metadata.name" {
			value = pod
		}
		if key := from.SecretKeyRef.Key; key != "" {
			if secret[key] == "" {
				require.True(t, from.SecretKeyRef.Optional, "%s wants the key %s of the Secret", v.Name, key)
				continue
			}
			value = secret[key]
		}
		require.NotEmpty(t, value, v.Name)
		env = append(env, v.Name+"="+value)
	}
	return env
}

func (s *statefulSet) port(name string) int {
	for _, port := range s.Spec.Template.Spec.Containers[0].Ports {
		if port.Name == name {
			return port.ContainerPort
		}
	}
	return 0
}

// pods are the processes of a set, and the names that the headless Service gives them.
type pods struct {
	t       *testing.T
	set     statefulSet
	network *network.Network
	dir     string
	names   map[string]*network.Host
	running map[string]*cluster.Process
}

func newPods(t *testing.T) *pods {
	t.Helper()
	return &pods{t: t, set: mustReadSet(t), network: network.Must(t), dir: t.TempDir(), names: map[string]*network.Host{}, running: map[string]*cluster.Process{}}
}

func (p *pods) name(ordinal int) string { return fmt.Sprintf("%s-%d", p.set.Metadata.Name, ordinal) }

// place gives a pod an address, which its name means from then on.
func (p *pods) place(pod string) {
	p.t.Helper()
	machine, err := p.network.NewHost()
	require.NoError(p.t, err)
	p.names[pod] = machine
	var hosts bytes.Buffer
	fmt.Fprintln(&hosts, "127.0.0.1 localhost")
	for name, machine := range p.names {
		fmt.Fprintf(&hosts, "%s %s.%s\n", machine.Addr, name, p.set.Spec.ServiceName)
	}
	require.NoError(p.t, os.WriteFile(p.hosts(), hosts.Bytes(), 0o600))
}

func (p *pods) hosts() string { return filepath.Join(p.dir, "hosts") }

// start runs a pod's container where place put it, with the volume that it had before.
func (p *pods) start(program, pod string) {
	p.t.Helper()
	const run = `mount --bind "$HOSTS" /etc/hosts && exec "$0" "$@"`
	env := append(p.set.env(p.t, pod), "PATH="+os.Getenv("PATH"), "HOSTS="+p.hosts(), "VERSIOND_DATA_DIR="+filepath.Join(p.dir, pod))
	process := cluster.NewProcess(p.t, "/usr/bin/unshare", []string{"--mount", "sh", "-c", run, program}, env, filepath.Join(p.dir, pod+".log"))
	process.RunOn(p.names[pod])
	process.Start()
	p.running[pod] = process
}

// get asks a pod's public port, as the probes do.
func (p *pods) get(pod, path string) (status int, body string) {
	p.t.Helper()
	conn, err := p.names[pod].Dial(p.t.Context(), "tcp", fmt.Sprintf("%s:%d", p.names[pod].Addr, p.set.port("http")))
	if err != nil {
		return 0, err.Error()
	}
	defer conn.Close()
	_, err = fmt.Fprintf(conn, "GET %s HTTP/1.0\r\nHost: %s\r\nAuthorization: Bearer %s\r\n\r\n", path, pod, adminToken)
	require.NoError(p.t, err)
	answer, err := io.ReadAll(conn)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return 0, err.Error()
	}
	head, rest, _ := strings.Cut(string(answer), "\r\n\r\n")
	_, _ = fmt.Sscanf(head, "HTTP/1.%d %d", new(int), &status)
	return status, rest
}
