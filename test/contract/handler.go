package contract

import (
	"bytes"
	"net/http"
	"testing"
)

// Handler returns handler with every answer held against the description.
func Handler(t testing.TB, port Port, handler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		method, path := r.Method, r.URL.EscapedPath()
		kept := &keeper{ResponseWriter: w, status: http.StatusOK}
		handler.ServeHTTP(kept, r) // a panic breaks the answer off: there is none to check
		if err := Check(Answer{Port: port, Method: method, Path: path, Status: kept.status, Header: kept.header, Body: kept.body.Bytes()}); err != nil {
			t.Error(err)
		}
	})
}

// keeper keeps what passes through it.
type keeper struct {
	http.ResponseWriter
	status int
	header http.Header
	body   bytes.Buffer
}

func (k *keeper) WriteHeader(status int) {
	if k.header == nil {
		k.status, k.header = status, k.Header().Clone()
	}
	k.ResponseWriter.WriteHeader(status)
}

func (k *keeper) Write(p []byte) (int, error) {
	if k.header == nil {
		k.WriteHeader(http.StatusOK)
	}
	k.body.Write(p)
	return k.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController reach the connection.
func (k *keeper) Unwrap() http.ResponseWriter { return k.ResponseWriter }

func (k *keeper) Flush() { _ = http.NewResponseController(k.ResponseWriter).Flush() }
