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
// @description  `?timeout=` is a Go duration: 5s when it is left out, 60s at most (/restore: 1m, 1h at most).
// @description
// @description  Operations tagged `internal` live on the peer port (7001, 7002, 7003 by default), which other nodes use: "Try it out" cannot reach them from this page.
// @description
// @description  On a node with tokens, press Authorize and enter `Bearer`, a blank and the secret of a token. A token of the role `read` reads records and asks how the cluster does, `write` changes records as well, `admin` changes the cluster as well. `/livez`, `/readyz` and this page need none.
// @description
// @description  On a node without tokens, requests that would need one get 403 `unknown_host` unless they call the node localhost, by an IP address, by its own address or by a name in `server.trustedHosts`; the peer port does the same where there is no cluster secret.
// @BasePath     /
// @securityDefinitions.apikey  Bearer
// @in                          header
// @name                        Authorization
// @description                 Bearer, a blank, and the secret of a token. Nodes without tokens need nothing.
// @securityDefinitions.apikey  ClusterSecret
// @in                          header
// @name                        X-Versiond-Secret
// @description                 What nodes show each other on the peer port. Clusters without a secret need nothing.
// @tag.name         version
// @tag.description  Version records: create, read, list, replace and delete.
// @tag.name         cluster
// @tag.description  Members of the cluster and who leads it.
// @tag.name         health
// @tag.description  What load balancers and orchestrators ask.
// @tag.name         internal
// @tag.description  Requests between nodes, on the peer port only.
