package docs_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"versiond/model"
)

// If this fails, a record may have something that clients and operators read of nowhere, or that clients made from the
// description refuse.
func TestEveryDetailIsDescribed(t *testing.T) {
	var api struct {
		Components struct {
			Schemas map[string]struct{ Properties map[string]any }
		}
	}
	require.NoError(t, yaml.Unmarshal([]byte(mustRead(t, "../api/openapi.yaml")), &api))
	page := mustRead(t, "versions.md")
	for _, field := range model.DetailFields {
		require.Contains(t, page, "\n| `"+field.Name+"` |")
		for _, schema := range []string{"Version", "NewVersion", "ChangedVersion", "BatchItem", "Change"} {
			require.Contains(t, api.Components.Schemas[schema].Properties, field.Name, schema)
		}
	}
}
