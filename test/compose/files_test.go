package compose

import (
	"cmp"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

const (
	root = "../.."
	// authorities is where Go looks for those that a machine knows.
	authorities = "/etc/ssl/certs/ca-certificates.crt"
)

func mustRead(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, file))
	require.NoError(t, err)
	return string(text)
}

// furnish does what the Dockerfile does for /image beside building the program, in another folder and with the authorities of
// a file.
func furnish(t *testing.T, image, known string) {
	t.Helper()
	_, script, found := strings.Cut(mustRead(t, "Dockerfile"), "\nRUN install ")
	require.True(t, found)
	script, _, _ = strings.Cut(script, "\n")
	script = strings.NewReplacer(" "+authorities, " "+known, "/image", image).Replace("install " + script)
	said, err := exec.CommandContext(t.Context(), "sh", "-ec", script).CombinedOutput()
	require.NoError(t, err, string(said))
}

// If this fails, a node in a container trusts nobody, and reaches no MySQL and no Redis whose certificate an authority of the
// machine has signed; or its volumes belong to root, and it may not write to them.
func TestImageHasWhatANodeNeeds(t *testing.T) {
	known, image := filepath.Join(t.TempDir(), "known"), t.TempDir()
	require.NoError(t, os.WriteFile(known, []byte("authorities"), 0o600))
	furnish(t, image, known)
	copied, err := os.ReadFile(filepath.Join(image, "program", authorities))
	require.NoError(t, err)
	require.Equal(t, "authorities", string(copied))
	for _, volume := range []string{"data", "certs", "ca"} {
		require.DirExists(t, filepath.Join(image, "state", volume))
	}
	for _, line := range []string{"COPY --from=build /image/program/ /", "COPY --from=build --chown=65532:65532 /image/state/ /"} {
		require.Contains(t, mustRead(t, "Dockerfile"), "\n"+line+"\n")
	}
}

// If this fails, the first up of a clean clone does: Compose v2 builds services at once, of which only one may have made an image,
// and docker-compose 1.29 takes services in the order of their dependencies and pulls what nobody has built by then.
func TestImagesAreBuiltOnce(t *testing.T) {
	for _, files := range [][]string{{"docker-compose.yml"}, {"docker-compose.yml", "docker-compose.tls.yml"}} {
		services := map[string]service{}
		for _, file := range files {
			var compose struct{ Services map[string]service }
			require.NoError(t, yaml.Unmarshal([]byte(mustRead(t, file)), &compose))
			for name, s := range compose.Services {
				services[name] = services[name].under(s)
			}
		}
		builders := map[string][]string{}
		for name, s := range services {
			if s.Build != nil {
				builders[s.Image] = append(builders[s.Image], name)
			}
		}
		require.NotEmpty(t, builders)
		for name, s := range services {
			built := builders[s.Image]
			require.LessOrEqual(t, len(built), 1, "%v: they build one image, %s", files, s.Image)
			require.True(t, len(built) == 0 || comesAfter(services, name, built[0]), "%v: %s may start before its image is built", files, name)
		}
	}
}

// service is what Compose builds and waits for.
type service struct {
	Image   string
	Build   any
	Depends yaml.Node `yaml:"depends_on"`
	after   []string
}

// under returns the service as another file changes it.
func (s service) under(over service) service {
	for i := 0; i+1 < len(over.Depends.Content); i += 2 {
		if name, how := over.Depends.Content[i], over.Depends.Content[i+1]; slices.ContainsFunc(how.Content, isCompletion) {
			s.after = append(s.after, name.Value)
		}
	}
	if over.Depends.Alias != nil {
		s = s.under(service{Depends: *over.Depends.Alias})
	}
	s.Image = cmp.Or(over.Image, s.Image)
	if over.Build != nil {
		s.Build = over.Build
	}
	return s
}

func isCompletion(n *yaml.Node) bool { return n.Value == "service_completed_successfully" }

// comesAfter reports whether a service is begun when another one has ended.
func comesAfter(services map[string]service, name, other string) bool {
	return name == other || slices.ContainsFunc(services[name].after, func(before string) bool { return comesAfter(services, before, other) })
}
