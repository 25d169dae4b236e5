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

var (
	// literal is a key of the Secret, as README.md makes it, and random what is made up for it.
	literal = regexp.MustCompile(`--from-literal=(\w+)="(.*)"`)
	random  = regexp.MustCompile(`(\w*)(:\w+:)?\$\(openssl rand -hex 16\)`)
)

// mustReadSecret returns what an operator makes by the commands of README.md.
func mustReadSecret(t *testing.T) map[string]string {
	t.Helper()
	secret := map[string]string{}
	for _, line := range literal.FindAllStringSubmatch(mustRead(t, "README.md"), -1) {
		secret[line[1]] = random.ReplaceAllString(line[2], "${1}${2}"+tokenOf("${1}"))
	}
	return secret
}

// tokenOf returns what takes the place of a random token.
func tokenOf(who string) string { return "0123456789abcdef" + who }

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
	require.NoError(t, yaml.Unmarshal([]byte(mustRead(t, file)), into))
}

func mustRead(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(manifests, file))
	require.NoError(t, err)
	return string(text)
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
	secret := mustReadSecret(t)
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
