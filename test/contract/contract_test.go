package contract_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/test/contract"
)

func answer() contract.Answer {
	return contract.Answer{
		Port: contract.Public, Method: http.MethodGet, Path: "/version/a", Status: http.StatusOK,
		Header: http.Header{
			"X-Versiond-Node": {"node1"}, "X-Versiond-Index": {"1"}, "X-Request-Id": {"a"}, "Cache-Control": {"no-cache"},
			"X-Content-Type-Options": {"nosniff"}, "Etag": {`"4096"`}, "Content-Type": {"application/json"},
		},
		Body: []byte(`{"id":"a","versionNo":"1","platform":"p","revision":4096}`),
	}
}

func refuse(a *contract.Answer, status int, code string) {
	a.Status = status
	a.Header.Del("ETag")
	a.Header.Set("Content-Type", "application/problem+json")
	a.Body = fmt.Appendf(nil, `{"type":"about:blank","title":"T","status":%d,"detail":"d","code":%q,"requestId":"a"}`, status, code)
}

// What is not described must be noticed, or the description may say anything.
func TestWhatIsNotDescribedIsNoticed(t *testing.T) {
	right := answer()
	require.NoError(t, contract.Check(right))
	refuse(&right, http.StatusNotFound, "not_found")
	require.NoError(t, contract.Check(right))
	for name, change := range map[string]func(*contract.Answer){
		"a path":           func(a *contract.Answer) { a.Path = "/versions/a" },
		"a method":         func(a *contract.Answer) { a.Method = http.MethodPatch },
		"the port":         func(a *contract.Answer) { a.Path, a.Port = "/peers", contract.Peer },
		"a status":         func(a *contract.Answer) { a.Status = http.StatusAccepted },
		"a header":         func(a *contract.Answer) { a.Header.Set("X-Extra", "1") },
		"a missing header": func(a *contract.Answer) { a.Header.Del("ETag") },
		"a header's form":  func(a *contract.Answer) { a.Header.Set("ETag", "4096") },
		"a number's form":  func(a *contract.Answer) { a.Header.Set("X-Versiond-Index", "-1") },
		"a type":           func(a *contract.Answer) { a.Header.Set("Content-Type", "text/plain") },
		"a field": func(a *contract.Answer) {
			a.Body = []byte(`{"id":"a","versionNo":"1","platform":"p","revision":4096,"size":1}`)
		},
		"a missing field":     func(a *contract.Answer) { a.Body = []byte(`{"id":"a","versionNo":"1","platform":"p"}`) },
		"a length":            func(a *contract.Answer) { a.Body = []byte(`{"id":"","versionNo":"1","platform":"p","revision":4096}`) },
		"a body without one":  func(a *contract.Answer) { a.Status = http.StatusNotModified },
		"a code of no status": func(a *contract.Answer) { refuse(a, http.StatusNotFound, "already_exists") },
	} {
		changed := answer()
		change(&changed)
		require.Error(t, contract.Check(changed), name)
	}
}
