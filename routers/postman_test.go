package routers_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/test/contract"
)

// folder is a part of a Postman collection, or a request.
type folder struct {
	Item    []folder `json:"item"`
	Request *struct {
		Method string `json:"method"`
		URL    struct {
			Path []string `json:"path"`
		} `json:"url"`
	} `json:"request"`
}

func (f folder) requests() (all []string) {
	if f.Request != nil {
		path := f.Request.URL.Path
		for i, part := range path {
			if name, parameter := strings.CutPrefix(part, ":"); parameter {
				path[i] = "{" + name + "}"
			}
		}
		all = append(all, f.Request.Method+" /"+strings.Join(path, "/"))
	}
	for _, each := range f.Item {
		all = append(all, each.requests()...)
	}
	return all
}

// People begin with the collection: it has whatever the public port takes, but for the restore, which needs a file.
func TestPostmanCollectionHasEveryPublicRoute(t *testing.T) {
	content, err := os.ReadFile("../api/versiond.postman_collection.json")
	require.NoError(t, err)
	var collection folder
	require.NoError(t, json.Unmarshal(content, &collection))
	require.ElementsMatch(t, described(contract.Public), append(collection.requests(), "POST /restore"))
}
