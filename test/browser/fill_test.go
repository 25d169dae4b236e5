package browser_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/test/harness/cluster"
)

// fillWithApps writes records as a team has them.
func fillWithApps(t *testing.T, n *cluster.Node) {
	t.Helper()
	status, answer, err := n.Client.Send(t.Context(), false, http.MethodPost, "/version/batch", map[string]string{"Content-Type": "application/json"}, `{"items":[
		{"op":"create","id":"atlas-android","versionNo":"3.9.0","platform":"android","minVersionNo":"3.2.0","rolloutPercent":25},
		{"op":"create","id":"atlas-android-beta","versionNo":"3.10.0-beta.2","platform":"android"},
		{"op":"create","id":"atlas-ios","versionNo":"3.9.1","platform":"ios","minVersionNo":"3.2.0","scheme":"semver","attributes":{"url":"https://example.org/atlas"}},
		{"op":"create","id":"atlas-web","versionNo":"3.12.4","platform":"web"},
		{"op":"create","id":"sensor-fw@2.3.9","versionNo":"2.3.9","platform":"esp32","mandatory":true},
		{"op":"create","id":"sensor-fw@2.4.0","versionNo":"2.4.0","platform":"esp32","withdrawn":true},
		{"op":"create","id":"sensor-fw@2.4.1","versionNo":"2.4.1","platform":"esp32","fromVersionNo":"2.3.0","rolloutPercent":10},
		{"op":"create","id":"sensor-fw@2.2.0-nrf","versionNo":"2.2.0","platform":"nrf52"},
		{"op":"create","id":"@atlas/design-tokens","versionNo":"1.18.0","platform":"npm"},
		{"op":"create","id":"libstdc++6","versionNo":"14.2.0-19","platform":"linux/amd64","scheme":"debian"},
		{"op":"create","id":"openssl","versionNo":"3.0.17-1~deb12u2","platform":"linux/amd64","scheme":"debian"},
		{"op":"create","id":"openssl:arm64","versionNo":"3.0.17-1~deb12u2","platform":"linux/arm64","scheme":"debian"}]}`)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, status, string(answer))
}
