// Package controller speaks HTTP: it reads requests strictly, asks the service, and answers with
// records or with problem documents (RFC 9457).
//
// A handler never writes an error itself. It records the error and returns; Serve, which runs
// around every handler, answers it from the one table in table.go. So an error has the same form
// and code wherever it arises, also for unknown paths and for panics.
package controller
