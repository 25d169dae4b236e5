package check

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/itchyny/gojq"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	syaml "sigs.k8s.io/yaml"
)

// If this fails, a majority of the volumes is lost and the others cannot be recovered: the API takes no such pod, or the set takes it
// for one of its own and ends it.
func TestPodThatRecovers(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(folder, "statefulset.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var set map[string]any
	if err := syaml.Unmarshal(text, &set); err != nil {
		t.Fatal(err)
	}
	pod := mustDecodePod(t, recovering(t, set))
	if len(pod.Labels) > 0 || pod.Spec.RestartPolicy != corev1.RestartPolicyNever {
		t.Errorf("the pod has labels, or begins again: %v, %s", pod.Labels, pod.Spec.RestartPolicy)
	}
	container := pod.Spec.Containers[0]
	if container.LivenessProbe != nil || container.ReadinessProbe != nil || container.Lifecycle != nil || len(container.Args) != 1 {
		t.Errorf("it runs no server: %+v", container)
	}
	mount, volume := container.VolumeMounts[0], pod.Spec.Volumes[len(pod.Spec.Volumes)-1]
	if mount.Name != volume.Name || volume.PersistentVolumeClaim.ClaimName != "data-versiond-1" {
		t.Errorf("it does not have the volume of versiond-1: %+v, %+v", mount, volume)
	}
}

// recovering returns what recover.jq makes of the set for versiond-1.
func recovering(t *testing.T, set map[string]any) []byte {
	t.Helper()
	program, err := os.ReadFile(filepath.Join(folder, "recover.jq"))
	if err != nil {
		t.Fatal(err)
	}
	query, err := gojq.Parse(string(program))
	if err != nil {
		t.Fatal(err)
	}
	code, err := gojq.Compile(query, gojq.WithVariables([]string{"$node", "$args"}))
	if err != nil {
		t.Fatal(err)
	}
	made, _ := code.Run(set, "versiond-1", []any{"recover"}).Next()
	if err, failed := made.(error); failed {
		t.Fatal(err)
	}
	text, err := json.Marshal(made)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func mustDecodePod(t *testing.T, text []byte) *corev1.Pod {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := corev1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	object, _, err := serializer.NewCodecFactory(scheme, serializer.EnableStrict).UniversalDeserializer().Decode(text, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	return object.(*corev1.Pod)
}
