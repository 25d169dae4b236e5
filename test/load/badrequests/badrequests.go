// Package badrequests lists requests that must be refused, and how. The controller's tests send
// them to a handler, the system tests to a running cluster; both check that nothing changed.
//
// The cases expect a record with the id KnownID and none with the id MissingID.
package badrequests

import (
	"net/http"
	"strings"
)

// Ids that the cases refer to.
const (
	KnownID   = "known"
	MissingID = "missing"
)

// Case is one request and the problem document that must answer it.
type Case struct {
	Name   string
	Method string
	// Path is the escaped path with its query, as it goes over the wire.
	Path   string
	Header map[string]string
	Body   string

	Status int
	Code   string
	// Fields are the fields of errors, in any order; none unless Code is invalid_request.
	Fields []string
}

// Public returns the cases for the public port.
func Public() []Case {
	var cases []Case
	for _, group := range [][]Case{bodies(), batches(), texts(), ids(), headers(), parameters(), comparisons(), members(), paths(), crossSite()} {
		cases = append(cases, group...)
	}
	return cases
}

const (
	path      = "/version"
	knownPath = "/version/" + KnownID
	good      = `{"id":"fresh","versionNo":"1.0.0","platform":"linux"}`
	goodPut   = `{"versionNo":"2.0.0","platform":"linux"}`
)

func jsonHeader() map[string]string { return map[string]string{"Content-Type": "application/json"} }

// with adds headers, given as name and value in turn, to those of a JSON body.
func with(pairs ...string) map[string]string {
	header := jsonHeader()
	for i := 0; i < len(pairs); i += 2 {
		header[pairs[i]] = pairs[i+1]
	}
	return header
}

// post is a POST /version that is refused for the fields.
func post(name, body string, fields ...string) Case {
	return Case{Name: "post " + name, Method: http.MethodPost, Path: path, Header: jsonHeader(), Body: body,
		Status: http.StatusBadRequest, Code: "invalid_request", Fields: fields}
}

// put is a PUT of the known record that is refused for the fields.
func put(name, body string, fields ...string) Case {
	c := post(name, body, fields...)
	c.Name, c.Method, c.Path = "put "+name, http.MethodPut, knownPath
	return c
}

// plain is a request without body that is refused for the fields.
func plain(method, target string, fields ...string) Case {
	return Case{Name: method + " " + target, Method: method, Path: target,
		Status: http.StatusBadRequest, Code: "invalid_request", Fields: fields}
}

func get(target string, fields ...string) Case { return plain(http.MethodGet, target, fields...) }

func (c Case) headed(header map[string]string) Case {
	c.Header = header
	for name, value := range header {
		c.Name += " " + name + " " + value
	}
	return c
}

func (c Case) answered(status int, code string) Case {
	c.Status, c.Code, c.Fields = status, code, nil
	return c
}

func record(id, versionNo, platform string) string {
	return `{"id":"` + id + `","versionNo":"` + versionNo + `","platform":"` + platform + `"}`
}

func bodies() []Case {
	return []Case{
		post("nothing", "", "body"),
		post("blanks only", " \n", "body"),
		post("malformed", `{"id":`, "body"),
		post("unquoted name", `{id:"a"}`, "body"),
		post("trailing comma", `{"id":"fresh","versionNo":"1","platform":"linux",}`, "body"),
		post("single quotes", `{'id':'a'}`, "body"),
		post("form data", `id=fresh&versionNo=1&platform=linux`, "body"),
		post("null", `null`, "body"),
		post("an array", `[`+good+`]`, "body"),
		post("a string", `"fresh"`, "body"),
		post("a number", `1`, "body"),
		post("true", `true`, "body"),
		post("trailing junk", good+`x`, "body"),
		post("a second object", good+good, "body"),
		post("a closing brace too many", good+`}`, "body"),
		post("two byte order marks", "\xef\xbb\xbf\xef\xbb\xbf"+good, "body"),
		post("a byte order mark alone", "\xef\xbb\xbf", "body"),
		post("bytes that are not UTF-8", record("fresh", "1\xff", "linux"), "body"),
		post("a raw line break in a string", record("fresh", "1\n2", "linux"), "body"),
		post("deep nesting", `{"id":`+strings.Repeat("[", 20000), "body"),
		post("an empty object", `{}`, "id", "versionNo", "platform"),
		post("no id", `{"versionNo":"1","platform":"linux"}`, "id"),
		post("no versionNo", `{"id":"fresh","platform":"linux"}`, "versionNo"),
		post("no platform", `{"id":"fresh","versionNo":"1"}`, "platform"),
		post("an unknown field", `{"id":"fresh","versionNo":"1","platform":"linux","size":1}`, "size"),
		post("a revision", `{"id":"fresh","versionNo":"1","platform":"linux","revision":4096}`, "revision"),
		post("a name in capitals", `{"ID":"fresh","versionNo":"1","platform":"linux"}`, "ID", "id"),
		post("the id twice", `{"id":"fresh","id":"other","versionNo":"1","platform":"linux"}`, "id"),
		post("the id twice, once escaped", `{"id":"fresh","\u0069d":"other","versionNo":"1","platform":"linux"}`, "id"),
		post("an id that is a number", `{"id":7,"versionNo":"1","platform":"linux"}`, "id"),
		post("an id that is null", `{"id":null,"versionNo":"1","platform":"linux"}`, "id"),
		post("wrong types everywhere", `{"id":[],"versionNo":{},"platform":true}`, "id", "versionNo", "platform"),
		post("everything wrong at once", `{"id":"a/./b","versionNo":1.5,"extra":{"a":[1]}}`, "id", "versionNo", "platform", "extra"),
		post("half a surrogate pair", `{"id":"fresh","versionNo":"\ud83d","platform":"linux"}`, "versionNo"),
		post("surrogates in the wrong order", `{"id":"fresh","versionNo":"\ude00\ud83d","platform":"linux"}`, "versionNo"),
		put("an empty object", `{}`, "versionNo", "platform"),
		put("another id than the path", `{"id":"other","versionNo":"1","platform":"linux"}`, "id"),
		put("an empty id", `{"id":"","versionNo":"1","platform":"linux"}`, "id"),
		put("an id in capitals", `{"id":"Known","versionNo":"1","platform":"linux"}`, "id"),
		put("an unknown field", `{"versionNo":"1","platform":"linux","name":"x"}`, "name"),
		put("a revision in quotes", `{"versionNo":"1","platform":"linux","revision":"4096"}`, "revision"),
		put("a revision of 0", `{"versionNo":"1","platform":"linux","revision":0}`, "revision"),
		put("a revision with a fraction", `{"versionNo":"1","platform":"linux","revision":4096.5}`, "revision"),
		put("a revision of null", `{"versionNo":"1","platform":"linux","revision":null}`, "revision"),
		put("the revision twice", `{"revision":1,"versionNo":"1","platform":"linux","revision":1}`, "revision"),
		put("a revision that is not current", `{"versionNo":"1","platform":"linux","revision":1}`).answered(http.StatusPreconditionFailed, "revision_mismatch"),
		put("nothing", "", "body"),
		put("an array", `[]`, "body"),
		post("over 1 MiB", record("fresh", strings.Repeat("1", 1<<20), "linux")).answered(http.StatusRequestEntityTooLarge, "body_too_large"),
		put("over 1 MiB of blanks", goodPut+strings.Repeat(" ", 1<<20)).answered(http.StatusRequestEntityTooLarge, "body_too_large"),
	}
}

func texts() []Case {
	return []Case{
		post("an empty id", record("", "1", "linux"), "id"),
		post("a blank id", record(" ", "1", "linux"), "id"),
		post("a blank before the id", record(" fresh", "1", "linux"), "id"),
		post("a blank after the id", record("fresh ", "1", "linux"), "id"),
		post("a no-break space after the id", record("fresh\u00a0", "1", "linux"), "id"),
		post("a reserved id", record("latest", "1", "linux"), "id"),
		post("dots between slashes in the id", record("a/../b", "1", "linux"), "id"),
		post("the id .", record(".", "1", "linux"), "id"),
		post("the id ..", record("..", "1", "linux"), "id"),
		post("an id of 129 bytes", record(strings.Repeat("a", 129), "1", "linux"), "id"),
		post("an id of 65 two-byte characters", record(strings.Repeat("é", 65), "1", "linux"), "id"),
		post("a NUL in the id", record(`a\u0000b`, "1", "linux"), "id"),
		post("a tab in the id", record(`a\tb`, "1", "linux"), "id"),
		post("a DEL in the id", record("a\x7fb", "1", "linux"), "id"),
		post("an empty versionNo", record("fresh", "", "linux"), "versionNo"),
		post("a blank versionNo", record("fresh", "  ", "linux"), "versionNo"),
		post("a line break in the versionNo", record("fresh", `1\n2`, "linux"), "versionNo"),
		post("a versionNo of 65 characters", record("fresh", strings.Repeat("1", 65), "linux"), "versionNo"),
		post("a blank after the versionNo", record("fresh", "1 ", "linux"), "versionNo"),
		post("an empty platform", record("fresh", "1", ""), "platform"),
		post("a control character in the platform", record("fresh", "1", `li\u0085nux`), "platform"),
		post("a platform of 65 characters", record("fresh", "1", strings.Repeat("é", 65)), "platform"),
		post("a tab before the platform", record("fresh", "1", `\tlinux`), "platform"),
		put("a blank platform", `{"versionNo":"1","platform":" "}`, "platform"),
		put("an empty versionNo", `{"versionNo":"","platform":"linux"}`, "versionNo"),
		post("an id that exists", record(KnownID, "9", "linux")).answered(http.StatusConflict, "already_exists"),
	}
}

func ids() []Case {
	badPut := func(target string) Case {
		c := put(target, goodPut, "id")
		c.Path = target
		return c
	}
	return []Case{
		get("/version/a%2F..%2Fb", "id"),
		get("/version/%2F%2e", "id"),
		get("/version/.", "id"),
		get("/version/..", "id"),
		get("/version/%2e%2e", "id"),
		get("/version/%20known", "id"),
		get("/version/known%20", "id"),
		get("/version/kno%00wn", "id"),
		get("/version/kno%0Awn", "id"),
		get("/version/%ff", "id"),
		get("/version/"+strings.Repeat("a", 129), "id"),
		plain(http.MethodDelete, "/version/a%2F..", "id"),
		plain(http.MethodDelete, "/version/known%09", "id"),
		plain(http.MethodDelete, "/version/%2e", "id"),
		badPut("/version/..%2Fb"),
		badPut("/version/%c3%28"),
		get("/version/"+MissingID).answered(http.StatusNotFound, "not_found"),
		get("/version/kno%2Fwn").answered(http.StatusNotFound, "not_found"),
		get("/version/%2Fknown").answered(http.StatusNotFound, "not_found"),
		get("/version/KNOWN").answered(http.StatusNotFound, "not_found"),
		get("/version/kno%252Fwn").answered(http.StatusNotFound, "not_found"),
		plain(http.MethodDelete, "/version/"+MissingID).answered(http.StatusNotFound, "not_found"),
		{Name: "put a missing record", Method: http.MethodPut, Path: "/version/" + MissingID, Header: jsonHeader(), Body: goodPut,
			Status: http.StatusNotFound, Code: "not_found"},
	}
}
