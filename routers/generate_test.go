package routers_test

import (
	"io"
	"log"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/swaggo/swag"
	"github.com/swaggo/swag/gen"
)

// The committed API description is what the annotations say: go generate ./routers makes it anew.
func TestDescriptionIsGenerated(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, gen.New().Build(&gen.Config{
		Debugger:           log.New(io.Discard, "", 0),
		SearchDir:          "../controller,../model,../peer,../raft",
		MainAPIFile:        "doc.go",
		PropNamingStrategy: swag.CamelCase,
		OutputDir:          dir,
		OutputTypes:        []string{"go", "json", "yaml"},
		PackageName:        "swagger",
		ParseDepth:         100,
		ParseGoList:        true,
		ParseFuncBody:      true,
		CollectionFormat:   "csv",
		LeftTemplateDelim:  "{{",
		RightTemplateDelim: "}}",
	}))
	for _, name := range []string{"docs.go", "swagger.json", "swagger.yaml"} {
		fresh, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		committed, err := os.ReadFile(filepath.Join("../docs/swagger", name))
		require.NoError(t, err)
		require.Equal(t, string(fresh), string(committed), "%s is out of date: run go generate ./routers", name)
	}
}
