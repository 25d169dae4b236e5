// Package contract holds the answers that tests get against the description of the API: nothing may be answered that
// is not described. It reads api/openapi.yaml and knows nothing else of the program.
package contract

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"versiond/api"
)

// Port is one of the two that a node has.
type Port string

// The ports of a node.
const (
	Public Port = "public"
	Peer   Port = "peer"
)

// peerServer is how the description says that something lives on the peer port.
const peerServer = "http://localhost:7001"

// Answer is what came back for a request.
type Answer struct {
	Port Port
	// Method and Path are those of the request; the path is as it was sent, without its query.
	Method, Path string
	Status       int
	Header       http.Header
	Body         []byte
}

// Check returns what of an answer is not described, nil when all of it is.
func Check(a Answer) error {
	described, err := a.response()
	if err == nil {
		err = errors.Join(checkHeaders(described, a.Header), checkBody(described, a))
	}
	if err != nil {
		return fmt.Errorf("api/openapi.yaml does not describe what the %s port answers to %s %s with status %d: %w", a.Port, a.Method, a.Path, a.Status, err)
	}
	return nil
}

// Load returns the description.
var Load = sync.OnceValue(func() *openapi3.T {
	loader := openapi3.NewLoader()
	document, err := loader.LoadFromData(api.Description)
	if err == nil {
		err = document.Validate(loader.Context)
	}
	if err != nil {
		panic("api/openapi.yaml: " + err.Error())
	}
	for _, schema := range document.Components.Schemas {
		if schema.Value.Type.Is(openapi3.TypeObject) && schema.Value.AdditionalProperties.Schema == nil {
			schema.Value.AdditionalProperties = openapi3.BoolSchema{Has: new(bool)} // a field that is not described is one too many
		}
	}
	return document
})

// On reports whether an operation lives on a port. One that names no server of its own is public; it is on the peer port
// too if it takes the cluster's secret.
func On(port Port, operation *openapi3.Operation) bool {
	if operation.Servers != nil {
		return (port == Peer) == ((*operation.Servers)[0].URL == peerServer)
	}
	return port == Public || slices.ContainsFunc(*operation.Security, func(r openapi3.SecurityRequirement) bool { return r["ClusterSecret"] != nil })
}

// response returns what the description has for the request and the status. A path or a method that it does not have is
// refused, as it says of others.
func (a Answer) response() (*openapi3.Response, error) {
	var others *openapi3.Operation
	for _, path := range Load().Paths.InMatchingOrder() { // /version/compare before /version/{id}
		if !pattern(path).MatchString(a.Path) {
			continue
		}
		for method, operation := range Load().Paths.Value(path).Operations() {
			switch {
			case !On(a.Port, operation):
			case method == a.Method && a.Status != http.StatusMethodNotAllowed:
				return withStatus(operation, a.Status)
			case method != http.MethodHead:
				others = operation
			}
		}
	}
	switch {
	case others != nil && a.Status == http.StatusMethodNotAllowed:
		return withStatus(others, a.Status)
	case others == nil && a.Status == http.StatusNotFound:
		return Load().Components.Responses["NoSuchPath"].Value, nil
	}
	return nil, errors.New("there is no such operation")
}

func withStatus(operation *openapi3.Operation, status int) (*openapi3.Response, error) {
	if response := operation.Responses.Status(status); response != nil {
		return response.Value, nil
	}
	return nil, errors.New("the operation has no such status")
}

var patterns sync.Map

// pattern returns what matches the paths that a template stands for.
func pattern(template string) *regexp.Regexp {
	known, ok := patterns.Load(template)
	if !ok {
		text := regexp.MustCompile(`\\{\w+\\}`).ReplaceAllString(regexp.QuoteMeta(template), `[^/]+`)
		if folder, files := strings.CutSuffix(template, "/{file}"); files {
			text = folder + "/.*"
		}
		known, _ = patterns.LoadOrStore(template, regexp.MustCompile("^"+text+"$"))
	}
	return known.(*regexp.Regexp)
}

// unlabelled are headers of HTTP itself, which descriptions leave out.
var unlabelled = []string{"Content-Type", "Content-Length", "Date", "Connection", "Transfer-Encoding", "Vary",
	"Access-Control-Allow-Origin", "Access-Control-Expose-Headers"}

func checkHeaders(response *openapi3.Response, header http.Header) error {
	described := map[string]*openapi3.HeaderRef{}
	for name, each := range response.Headers {
		described[http.CanonicalHeaderKey(name)] = each
	}
	var wrong []error
	for name, each := range described {
		values := header.Values(name)
		switch {
		case len(values) == 0 && each.Value.Required:
			wrong = append(wrong, fmt.Errorf("the header %s is missing", name))
		case len(values) > 1:
			wrong = append(wrong, fmt.Errorf("the header %s is sent more than once", name))
		case len(values) == 1:
			wrong = append(wrong, checkHeader(name, each, values[0]))
		}
	}
	for name := range header {
		if described[name] == nil && !slices.Contains(unlabelled, name) {
			wrong = append(wrong, fmt.Errorf("the header %s is not described", name))
		}
	}
	return errors.Join(wrong...)
}

func checkHeader(name string, header *openapi3.HeaderRef, text string) error {
	var value any = text
	if header.Value.Schema.Value.Type.Is(openapi3.TypeInteger) {
		value = json.Number(text)
	}
	if err := fits(header.Ref+"/schema", value); err != nil {
		return fmt.Errorf("the header %s: %s: %w", name, text, err)
	}
	return nil
}

func checkBody(response *openapi3.Response, a Answer) error {
	if a.Method == http.MethodHead {
		return nil // net/http leaves the body out
	}
	if len(response.Content) == 0 {
		if len(a.Body) > 0 {
			return fmt.Errorf("there is a body of %d bytes", len(a.Body))
		}
		return nil
	}
	mediaType, _, err := mime.ParseMediaType(a.Header.Get("Content-Type"))
	if err != nil {
		return fmt.Errorf("the Content-Type %q: %w", a.Header.Get("Content-Type"), err)
	}
	content := response.Content[mediaType]
	if content == nil {
		return fmt.Errorf("it is of the type %s", mediaType)
	}
	switch {
	case isStream(a.Header):
		return checkLines(content, a.Body)
	case strings.HasSuffix(mediaType, "json"):
		return checkDocument(content, a.Body)
	}
	return nil
}

func checkDocument(content *openapi3.MediaType, body []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return fmt.Errorf("the body %s: %w", body, err)
	}
	if err := fits(content.Schema.Ref, value); err != nil {
		return fmt.Errorf("the body %s: %w", body, err)
	}
	return checkCode(content, value)
}

// isStream reports whether an answer goes on for as long as somebody reads it.
func isStream(header http.Header) bool {
	return strings.HasPrefix(header.Get("Content-Type"), "application/x-ndjson")
}

// checkLines holds each whole line of a stream against the schema of one.
func checkLines(content *openapi3.MediaType, body []byte) error {
	for line := range bytes.Lines(body) {
		if !bytes.HasSuffix(line, []byte("\n")) {
			break // it was broken off
		}
		if err := checkDocument(content, line); err != nil {
			return err
		}
	}
	return nil
}

// checkCode wants an example for each code that a status is answered with.
func checkCode(content *openapi3.MediaType, value any) error {
	if len(content.Examples) == 0 {
		return nil
	}
	code, _ := value.(map[string]any)["code"].(string)
	if content.Examples[code] == nil {
		return fmt.Errorf("there is no example of the code %s", code)
	}
	return nil
}

// fits holds a value against the schema at ref. Schemas are compiled once: there are many answers.
func fits(ref string, value any) error {
	schema, ok := schemas.Load(ref)
	if !ok {
		compiled, err := compiler().Compile("api.json" + ref)
		if err != nil {
			return err
		}
		schema, _ = schemas.LoadOrStore(ref, compiled)
	}
	return schema.(*jsonschema.Schema).Validate(value)
}

var schemas sync.Map

// compiler returns one that knows the description.
func compiler() *jsonschema.Compiler {
	text, err := Load().MarshalJSON()
	if err != nil {
		panic(err)
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		panic(err)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	if err := c.AddResource("api.json", document); err != nil {
		panic(err)
	}
	return c
}
