package client_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// ask sends a write as any HTTP client does, under a key where there is one, and returns the status and the body once all nodes have
// applied what was done.
func ask(t *testing.T, address, method, path, key, body string) (status int, answer string) {
	t.Helper()
	status, answer, index := send(t, address, method, path, key, body)
	for _, each := range addresses {
		applied, _, _ := send(t, each, http.MethodGet, "/version/nothing?level=none&min_index="+index, "", "")
		require.Equal(t, http.StatusNotFound, applied)
	}
	return status, answer
}

func send(t *testing.T, address, method, path, key, body string) (status int, answer, index string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, address+path, strings.NewReader(body))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+token)
	if key != "" {
		r.Header.Set("Idempotency-Key", key)
	}
	response, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer response.Body.Close()
	read, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response.StatusCode, string(read), response.Header.Get("X-Versiond-Index")
}

func batch(t *testing.T, address, key string, atomic bool, items ...string) (status int, answer string) {
	t.Helper()
	return ask(t, address, http.MethodPost, "/version/batch", key, fmt.Sprintf(`{"atomic":%t,"items":[%s]}`, atomic, strings.Join(items, ",")))
}

func updateItem(id, versionNo, more string) string {
	return fmt.Sprintf(`{"op":"update","id":%q,"versionNo":%q,"platform":"linux"%s}`, id, versionNo, more)
}

func mustKeepSemver(t *testing.T, id string) {
	t.Helper()
	status, answer := ask(t, addresses[0], http.MethodPost, "/version", "", fmt.Sprintf(`{"id":%q,"versionNo":"1.0.0","platform":"linux","scheme":"semver"}`, id))
	require.Equal(t, http.StatusCreated, status, answer)
}

// An item of a batch is refused where a request of its own would be: a version number that the scheme which stays cannot order. If
// this fails, an import puts version numbers into the registry that nobody's check can compare.
func TestABatchIsHeldAgainstTheSchemesThatStay(t *testing.T) {
	mustKeepSemver(t, "kept")
	const says = "versionNo: is no version of the scheme semver"
	for _, address := range addresses {
		status, answer := ask(t, address, http.MethodPut, "/version/kept", "", `{"versionNo":"two","platform":"linux"}`)
		require.Equal(t, http.StatusBadRequest, status, answer)
		require.Contains(t, answer, says)

		status, answer = batch(t, address, "", false, `7`, updateItem("kept", "two", ""), updateItem("kept", "1.0.1", ""), updateItem("kept", "1", ""))
		require.Equal(t, http.StatusOK, status, answer)
		require.Contains(t, answer, `"refused":3`)
		require.Contains(t, answer, `{"id":"kept","status":400,"code":"invalid_request","detail":"items[1].`+says)
		require.Contains(t, answer, `"versionNo":"1.0.1","platform":"linux","scheme":"semver"`)
		require.Contains(t, answer, `"detail":"items[3].`+says)

		status, answer = batch(t, address, "", false, updateItem("kept", "two", ""))
		require.Equal(t, http.StatusOK, status, answer)
		require.Contains(t, answer, `"refused":1`)

		status, answer = batch(t, address, "", true, updateItem("kept", "1.0.2", ""), updateItem("kept", "two", ""))
		require.Equal(t, http.StatusBadRequest, status, answer)
		require.Contains(t, answer, `"errors":[{"field":"items[1].versionNo"`)
		require.Contains(t, answer, "items[1]."+says)
	}
	kept, err := mustClient(t).Get(t.Context(), "kept")
	require.NoError(t, err)
	require.Equal(t, "1.0.1", kept.VersionNo)
}

// Items find a record as those before them leave it: its scheme may be gone by then, or new.
func TestABatchIsHeldAgainstTheSchemesThatItSets(t *testing.T) {
	mustKeepSemver(t, "sets")
	const create, remove = `{"op":"create","id":"sets","versionNo":"one","platform":"linux"}`, `{"op":"delete","id":"sets"}`
	for _, c := range []struct {
		refused int
		items   []string
	}{
		{0, []string{updateItem("sets", "two", `,"scheme":null`), updateItem("sets", "three", "")}},
		{0, []string{updateItem("sets", "1.0.0", `,"scheme":"semver"`)}},
		{0, []string{remove, create, updateItem("sets", "four", "")}},
		{1, []string{updateItem("sets", "2.0.0", `,"scheme":"semver"`), updateItem("sets", "five", "")}},
		{2, []string{create, updateItem("sets", "six", "")}},
		{2, []string{updateItem("sets", "two", `,"scheme":null,"ifMatch":"1"`), updateItem("sets", "seven", "")}},
		{1, []string{`{"op":"delete","id":"sets","ifMatch":"1"}`, updateItem("sets", "3.0.0", "")}},
	} {
		status, answer := batch(t, addresses[0], "", false, c.items...)
		require.Equal(t, http.StatusOK, status, answer)
		require.Contains(t, answer, fmt.Sprintf(`"refused":%d`, c.refused), answer)
	}
}

// What was done is answered alike when it is sent again on any node, also when the record has got a scheme since that cannot
// order what was written. If this fails, a client that tries again takes what it has done for refused.
func TestWhatWasDoneIsNotHeldAgainstALaterScheme(t *testing.T) {
	mustCreate(t, mustClient(t), record("later", "one"))
	const semver = `,"scheme":"semver"`
	for again, address := range addresses {
		status, answer := batch(t, address, "later-batch", true, updateItem("later", "two", ""), updateItem("later", "1.0.0", semver))
		require.Equal(t, http.StatusOK, status, answer)
		if again == 0 {
			continue
		}
		status, answer = batch(t, address, "later-refused", false, updateItem("later", "1.0.1", ""), updateItem("later", "two", ""))
		require.Equal(t, http.StatusOK, status, answer)
		require.Contains(t, answer, `"refused":1`)
	}
	status, answer := ask(t, addresses[0], http.MethodPut, "/version/later", "later-single", `{"versionNo":"three","platform":"linux","scheme":null}`)
	require.Equal(t, http.StatusOK, status, answer)
	for i := range 2 {
		status, answer = ask(t, addresses[i], http.MethodPut, "/version/later", "later-word", `{"versionNo":"four","platform":"linux"}`)
		require.Equal(t, http.StatusOK, status, answer)
		status, answer = batch(t, addresses[i], "", false, updateItem("later", "1.0.0", semver))
		require.Equal(t, http.StatusOK, status, answer)
	}
	status, answer = ask(t, addresses[2], http.MethodPut, "/version/later", "later-other", `{"versionNo":"four","platform":"linux"}`)
	require.Equal(t, http.StatusBadRequest, status, answer)
}
