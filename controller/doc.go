// Package controller speaks HTTP: it reads requests strictly, asks the service, and answers with
// records or with problem documents (RFC 9457).
//
// A handler never writes an error itself. It records the error and returns; Serve, which runs
// around every handler, answers it from the one table in table.go. So an error has the same form
// and code wherever it arises, also for unknown paths and for panics.
package controller

// @title        versiond
// @version      1.0
// @description  A replicated registry of version records. Any node takes any request.
// @description
// @description  Every answer carries `X-Versiond-Node` (which node served it), `X-Versiond-Index` (the applied log index that it reflects) and `X-Request-ID` (the one that was sent, or a new one). An error is an `application/problem+json` document with a stable `code`; `invalid_request` lists every wrong field. Unknown or repeated query parameters are refused, so that a misspelt `level` cannot weaken a read unnoticed.
// @description
// @description  `?timeout=` on any request is a Go duration: 5s when it is left out, 60s at most.
// @description
// @description  Operations tagged `internal` live on the peer port (7001, 7002, 7003 by default), which other nodes use: "Try it out" cannot reach them from this page.
// @BasePath     /
// @tag.name         version
// @tag.description  Version records: create, read, list, replace and delete.
// @tag.name         cluster
// @tag.description  Members of the cluster and who leads it.
// @tag.name         health
// @tag.description  What load balancers and orchestrators ask.
// @tag.name         internal
// @tag.description  Requests between nodes, on the peer port only.
