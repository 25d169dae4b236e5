package kubernetes

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
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
				Containers         []container
			}
		}
	}
}

type container struct {
	Env   []variable
	Ports []struct {
		Name          string
		ContainerPort int `yaml:"containerPort"`
	}
	VolumeMounts []struct {
		Name      string
		MountPath string `yaml:"mountPath"`
	} `yaml:"volumeMounts"`
	LivenessProbe  probe `yaml:"livenessProbe"`
	ReadinessProbe probe `yaml:"readinessProbe"`
}

type probe struct {
	HTTPGet struct{ Path, Port, Scheme string } `yaml:"httpGet"`
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

// mustReadSet reads the set, as the components that are named change it.
func mustReadSet(t *testing.T, components []string) (set statefulSet) {
	t.Helper()
	var manifest any
	mustReadYAML(t, "statefulset.yaml", &manifest)
	for _, component := range components {
		manifest = change(t, manifest, component)
	}
	text, err := yaml.Marshal(manifest)
	require.NoError(t, err)
	require.NoError(t, yaml.Unmarshal(text, &set))
	require.Equal(t, "StatefulSet", set.Kind)
	require.False(t, *set.Spec.Template.Spec.EnableServiceLinks)
	return set
}

func mustReadYAML(t *testing.T, file string, into any) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(manifests, file))
	require.NoError(t, err)
	require.NoError(t, yaml.Unmarshal(text, into))
}

// change does what a component's patches of the set say.
func change(t *testing.T, manifest any, component string) any {
	t.Helper()
	var kustomization struct {
		Patches []struct {
			Target struct{ Kind string }
			Patch  string
		}
	}
	mustReadYAML(t, filepath.Join(component, "kustomization.yaml"), &kustomization)
	for _, patch := range kustomization.Patches {
		if patch.Target.Kind != "StatefulSet" {
			continue
		}
		var changes []struct {
			Op, Path string
			Value    any
		}
		require.NoError(t, yaml.Unmarshal([]byte(patch.Patch), &changes))
		for _, c := range changes {
			require.Equal(t, "add", c.Op)
			manifest = add(t, manifest, strings.Split(c.Path, "/")[1:], c.Value)
		}
	}
	return manifest
}

// add returns the part with the value at the path, as a JSON patch puts it there.
func add(t *testing.T, part any, path []string, value any) any {
	t.Helper()
	if len(path) == 0 {
		return value
	}
	switch part := part.(type) {
	case map[string]any:
		part[path[0]] = add(t, part[path[0]], path[1:], value)
		return part
	case []any:
		if path[0] == "-" {
			return append(part, value)
		}
		i, err := strconv.Atoi(path[0])
		require.NoError(t, err)
		part[i] = add(t, part[i], path[1:], value)
		return part
	}
	require.Failf(t, "a patch leads nowhere", "%v in %v", path, part)
	return nil
}

func (s *statefulSet) container() container { return s.Spec.Template.Spec.Containers[0] }

// env returns what the container of a pod is started with, where each volume is a folder of its name in dir.
func (s *statefulSet) env(t *testing.T, pod, dir string) (env []string) {
	t.Helper()
	for _, v := range s.container().Env {
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
		value = reference.ReplaceAllStringFunc(value, func(text string) string { return valueOf(env, text) })
		for _, volume := range s.container().VolumeMounts {
			value = strings.ReplaceAll(value, volume.MountPath+"/", filepath.Join(dir, volume.Name)+"/")
		}
		env = append(env, v.Name+"="+value)
	}
	return env
}

// reference is how the value of one variable names another one.
var reference = regexp.MustCompile(`\$\(\w+\)`)

// valueOf returns what is referred to, which has to stand before.
func valueOf(env []string, reference string) string {
	for _, variable := range env {
		if value, found := strings.CutPrefix(variable, strings.Trim(reference, "$()")+"="); found {
			return value
		}
	}
	return reference
}

func (s *statefulSet) port(name string) int {
	for _, port := range s.container().Ports {
		if port.Name == name {
			return port.ContainerPort
		}
	}
	return 0
}
