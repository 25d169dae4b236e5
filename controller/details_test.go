package controller_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/controller"
	"versiond/model"
)

const detailedBody = `{"id":"app","versionNo":"1.4.0","platform":"ios","scheme":"semver","minVersionNo":"1.2.0","fromVersionNo":"1.0.0",` +
	`"mandatory":true,"rolloutPercent":0,"withdrawn":true,"attributes":{"url":"https://example.org/app?a=1&b=2","notes":"one\ntwo"}}`

// What a client sends of a record is what it gets, in every answer that has the record.
func TestDetailsAreAnsweredAsTheyWereSent(t *testing.T) {
	n := mustNode(t)
	want := strings.TrimSuffix(detailedBody, "}") + `,"revision":32768}`
	created := n.send(t, http.MethodPost, "/version", detailedBody)
	require.Equal(t, http.StatusCreated, created.Code, created.Body.String())
	require.JSONEq(t, want, created.Body.String())
	require.JSONEq(t, want, n.get(t, "/version/app").Body.String())
	for _, field := range model.DetailFields {
		require.Contains(t, detailedBody, `"`+field.Name+`":`, "a field that the body leaves out is in no test of HTTP")
	}
	require.Contains(t, n.get(t, "/version").Body.String(), `"minVersionNo":"1.2.0"`)

	putBack := n.send(t, http.MethodPut, "/version/app", created.Body.String())
	require.Equal(t, http.StatusOK, putBack.Code, putBack.Body.String())
	require.JSONEq(t, strings.Replace(want, "32768", "36864", 1), putBack.Body.String(), "a record that was read can be put back")

	item := strings.Replace(detailedBody, `{"id":"app"`, `{"op":"create","id":"b"`, 1)
	batch := n.send(t, http.MethodPost, batchPath, batchOf(false, item))
	require.Contains(t, batch.Body.String(), `"fromVersionNo":"1.0.0"`)
}

// A client that knows three fields wipes nothing, one that knows more clears one with null, and what is absent stays absent.
func TestAnUpdateLeavesTheDetailsThatItDoesNotName(t *testing.T) {
	n := mustNode(t)
	require.Equal(t, http.StatusCreated, n.send(t, http.MethodPost, "/version", detailedBody).Code)
	for _, step := range []struct{ body, want string }{
		{`{"versionNo":"1.5.0","platform":"ios"}`, `"scheme":"semver","minVersionNo":"1.2.0","fromVersionNo":"1.0.0","mandatory":true,"rolloutPercent":0,"withdrawn":true,"attributes"`},
		{`{"versionNo":"1.5.0","platform":"ios","mandatory":false,"rolloutPercent":25}`, `"fromVersionNo":"1.0.0","rolloutPercent":25,"withdrawn":true,"attributes"`},
		{`{"versionNo":"1.5.0","platform":"ios","withdrawn":null,"attributes":null,"minVersionNo":null}`, `"platform":"ios","scheme":"semver","fromVersionNo":"1.0.0","rolloutPercent":25,"revision"`},
		{`{"versionNo":"x","platform":"ios","scheme":null,"fromVersionNo":null,"rolloutPercent":null}`, `{"id":"app","versionNo":"x","platform":"ios","revision"`},
	} {
		answer := n.send(t, http.MethodPut, "/version/app", step.body)
		require.Equal(t, http.StatusOK, answer.Code, answer.Body.String())
		require.Contains(t, answer.Body.String(), step.want)
	}
}

// What cannot be is refused with the name of the field and what would be right.
func TestDetailsThatAreWrong(t *testing.T) {
	n := mustNode(t)
	many := `{"a":"1"`
	for i := range 16 {
		many += `,"n` + string(rune('a'+i)) + `":"1"`
	}
	for fields, want := range map[string]string{
		`"scheme":"seamver"`:                       "scheme: must be one of natural, semver",
		`"scheme":""`:                              "scheme: must not be empty; leave it out, or clear it with null",
		`"scheme":7`:                               "scheme: must be a string in double quotes, not a number",
		`"scheme":"semver","versionNo":"1.4"`:      "versionNo: is no version of the scheme semver",
		`"scheme":"semver","minVersionNo":"one"`:   "minVersionNo: is no version of the scheme semver",
		`"scheme":"published","fromVersionNo":"1"`: "fromVersionNo: does not go with the scheme published",
		`"mandatory":"yes"`:                        "mandatory: must be true or false, not a string",
		`"withdrawn":1`:                            "withdrawn: must be true or false, not a number",
		`"rolloutPercent":101`:                     "rolloutPercent: must be a whole number from 0 to 100, such as 25",
		`"rolloutPercent":-1`:                      "rolloutPercent: must be a whole number from 0 to 100, such as 25",
		`"rolloutPercent":12.5`:                    "rolloutPercent: must be a whole number from 0 to 100, such as 25",
		`"rolloutPercent":"25"`:                    "rolloutPercent: must be a whole number from 0 to 100, such as 25",
		`"attributes":["url"]`:                     `attributes: must be an object of strings such as {"url":"https://example.org/app"}, not an array`,
		`"attributes":{"size":7}`:                  "attributes.size: must be a string in double quotes, not a number",
		`"attributes":{"a":"1","a":"2"}`:           "attributes.a: is given more than once",
		`"attributes":{"":"1"}`:                    "attributes: must have names of 1 to 64 characters",
		`"attributes":{"notes":"\u0000"}`:          "attributes: must have values in valid UTF-8 without control characters",
		`"attributes":` + many + `}`:               "attributes: must be at most 16",
		`"attributes":{"notes":"` + strings.Repeat("x", 2048) + `"}`: "attributes: must be at most 16, whose names and values are at most 2048 bytes long together",
		`"Withdrawn":true`: "Withdrawn: is not known; write it as withdrawn",
	} {
		body := `{"id":"app","platform":"ios",` + fields
		if !strings.Contains(fields, "versionNo\":\"1.4\"") {
			body += `,"versionNo":"1.4.0"`
		}
		answer := n.send(t, http.MethodPost, "/version", body+"}")
		require.Equal(t, http.StatusBadRequest, answer.Code, fields)
		require.Contains(t, mustDecode[controller.Problem](t, answer).Detail, want, fields)
	}
	require.Equal(t, http.StatusNotFound, n.get(t, "/version/app").Code)
}
