// Package check holds the manifests against the types of the Kubernetes API: a field that it does not have, or of another
// type, is an error. It is a module of its own, so that the program's own go.mod does not name Kubernetes.
package check

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/util/yaml"
	syaml "sigs.k8s.io/yaml"
)

const folder = ".."

func TestManifestsFitTheAPI(t *testing.T) {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{appsv1.AddToScheme, corev1.AddToScheme, networkingv1.AddToScheme, policyv1.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	decoder := serializer.NewCodecFactory(scheme, serializer.EnableStrict).UniversalDeserializer()
	for _, file := range resources(t) {
		for _, document := range documents(t, file) {
			object, kind, err := decoder.Decode(document, nil, nil)
			if err != nil {
				t.Errorf("%s: %v", file, err)
				continue
			}
			if object.(metav1.Object).GetName() == "" {
				t.Errorf("%s: a %s without a name", file, kind.Kind)
			}
			if set, ok := object.(*appsv1.StatefulSet); ok {
				checkStop(t, set.Spec.Template.Spec)
			}
		}
	}
}

// checkStop breaks when a pod refuses connections that Services still send to it, or is killed before it has finished.
func checkStop(t *testing.T, pod corev1.PodSpec) {
	t.Helper()
	const drain = 6 // what versiond takes at most
	stop := pod.Containers[0].Lifecycle
	if stop == nil || stop.PreStop == nil || stop.PreStop.Sleep == nil || stop.PreStop.Sleep.Seconds < 3 || stop.PreStop.Sleep.Seconds+drain > *pod.TerminationGracePeriodSeconds {
		t.Errorf("before it is told to stop, a pod has to wait until Services know: %v", stop)
	}
}

// resources returns the files that the kustomization names, which have to be all that there are.
func resources(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(folder, "kustomization.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var kustomization struct{ Resources []string }
	if err := syaml.Unmarshal(text, &kustomization); err != nil {
		t.Fatal(err)
	}
	there, err := filepath.Glob(filepath.Join(folder, "*.yaml"))
	if err != nil || len(there) != len(kustomization.Resources)+1 {
		t.Fatalf("the kustomization names %v, and there are %v (%v)", kustomization.Resources, there, err)
	}
	return kustomization.Resources
}

func documents(t *testing.T, file string) (documents [][]byte) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(folder, file))
	if err != nil {
		t.Fatal(err)
	}
	for reader := yaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(text))); ; {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return documents
		}
		if err != nil {
			t.Fatal(err)
		}
		documents = append(documents, document)
	}
}
