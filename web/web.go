// Package web holds the console: the page that a node serves at /, and the scripts, styles and pictures that it loads.
// They are what stands here, embedded as it is; the page uses the public API alone.
package web

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"mime"
	"path"
)

//go:embed index.html console
var files embed.FS

// Policy is the Content-Security-Policy of the page: everything comes from the node itself, and nothing stands in line.
const Policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// File is one file of the console.
type File struct {
	Content []byte
	// Type is the Content-Type, and Tag the ETag, which changes with the content.
	Type, Tag string
}

// Open returns the file with this name, below the page, and whether there is one: index.html, console/app.js.
func Open(name string) (File, bool) {
	content, err := files.ReadFile(name)
	if err != nil {
		return File{}, false
	}
	sum := sha256.Sum256(content)
	return File{Content: content, Type: mime.TypeByExtension(path.Ext(name)), Tag: `"` + hex.EncodeToString(sum[:16]) + `"`}, true
}
