// Package api holds the one description of the HTTP API.
package api

import _ "embed" // for the description

// Description is openapi.yaml, an OpenAPI 3.1 document.
//
//go:embed openapi.yaml
var Description []byte
