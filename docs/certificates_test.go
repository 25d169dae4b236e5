package docs_test

import (
	"bytes"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/cli"
	"versiond/test/harness/authority"
)

// certLine is a command that makes certificates, in a block or within a sentence.
var certLine = regexp.MustCompile("(?:bin/|`)versiond (cert (?:ca|node|client) ?[^\\n`]*)")

// If this fails, who changes certificates by what the manual says gets an error, or nodes that their clients do not know by name.
func TestCertificatesOfTheManual(t *testing.T) {
	for language, name := range []string{"English", "Chinese"} {
		t.Run(name, func(t *testing.T) {
			lines := certLine.FindAllStringSubmatch(mustRead(t, manual[4][language]), -1)
			t.Chdir(t.TempDir())
			for _, line := range lines {
				var said bytes.Buffer
				require.Zero(t, cli.Program{Stdout: &said, Stderr: &said}.Run(strings.Fields(line[1])), "%s: %s", line[1], said.String())
			}
			first := authority.ReadCertificate(t, "certs/node1.pem")
			require.Contains(t, first.DNSNames, "registry.example.com")
			for _, dir := range []string{"new", "renewed"} {
				require.Equal(t, first.DNSNames, authority.ReadCertificate(t, dir+"/node1.pem").DNSNames, dir)
			}
		})
	}
}
