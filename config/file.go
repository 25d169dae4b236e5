package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// readFile takes over what a YAML file sets; an empty name is no file. It walks the document itself:
// the library's own decoding quotes values, which may be secrets, names Go's types and not the keys,
// and reads 010 as eight.
func (c *Config) readFile(name string) error {
	if name == "" {
		return nil
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return fmt.Errorf("config file: %w", err)
	}
	root, err := parseDocument(text)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	r := fileReader{name: name}
	r.section(root, reflect.ValueOf(c).Elem(), "")
	return errors.Join(r.errs...)
}

var (
	errManyDocuments = errors.New("holds more than one YAML document; one is read")
	errUnquoted      = errors.New(`a value that begins with * or & has to be put in quotes`)
)

// parseDocument returns the root of the only document. An empty file is an empty mapping.
func parseDocument(text []byte) (*yaml.Node, error) {
	decoder, root := yaml.NewDecoder(bytes.NewReader(text)), &yaml.Node{Kind: yaml.MappingNode}
	for first := true; ; first = false {
		var document yaml.Node
		switch err := decoder.Decode(&document); {
		case errors.Is(err, io.EOF):
			return root, nil
		case err != nil && strings.Contains(err.Error(), "anchor"):
			// The one syntax error that quotes the file: a password that begins with * is taken for an
			// alias and printed as one that is not known. The library has no type for it.
			return nil, errUnquoted
		case err != nil:
			return nil, err
		case !first:
			return nil, errManyDocuments
		case !isNull(document.Content[0]):
			root = document.Content[0]
		}
	}
}

// fileReader walks a document along the fields of Config and collects what is wrong on the way.
type fileReader struct {
	name string
	errs []error
}

func (r *fileReader) fail(at *yaml.Node, key, format string, args ...any) {
	place := strings.TrimSuffix(fmt.Sprintf("%s:%d: %s", r.name, at.Line, key), ": ")
	r.errs = append(r.errs, fmt.Errorf("%s: "+format, append([]any{place}, args...)...))
}

func (r *fileReader) read(node *yaml.Node, into reflect.Value, key string) {
	switch into.Kind() {
	case reflect.Struct:
		r.section(node, into, key)
	case reflect.Slice:
		r.list(node, into, key)
	default:
		r.scalar(node, into, key)
	}
}

// section reads a mapping. A key without a value keeps what it had: sections whose lines are all
// commented out are common.
func (r *fileReader) section(node *yaml.Node, into reflect.Value, key string) {
	if node.Kind != yaml.MappingNode {
		r.fail(node, key, "has to be a section, with lines of the form key: value")
		return
	}
	fields, lines := fieldsOf(into, key), make(map[string]int)
	for i := 0; i+1 < len(node.Content); i += 2 {
		name, value := node.Content[i], target(node.Content[i+1])
		path := joinKey(key, name.Value)
		switch field, known := fields[path]; {
		case !known:
			r.fail(name, path, "unknown setting%s", suggestion(path, slices.Sorted(maps.Keys(fields))))
		case lines[path] != 0:
			r.fail(name, path, "given twice, first in line %d", lines[path])
		case !isNull(value):
			r.read(value, field, path)
		}
		lines[path] = name.Line
	}
}

// list replaces what was there, so that no default shines through.
func (r *fileReader) list(node *yaml.Node, into reflect.Value, key string) {
	if node.Kind != yaml.SequenceNode {
		r.fail(node, key, "has to be a list, with one item a line after a dash")
		return
	}
	into.SetZero()
	for i, item := range node.Content {
		into.Set(reflect.Append(into, reflect.Zero(into.Type().Elem())))
		r.read(target(item), into.Index(i), fmt.Sprintf("%s[%d]", key, i))
	}
}

func (r *fileReader) scalar(node *yaml.Node, into reflect.Value, key string) {
	if node.Kind != yaml.ScalarNode {
		r.fail(node, key, "has to be a single value; a right value is %s", exampleOf(key))
		return
	}
	if err := setText(into, node.Value); err != nil {
		r.fail(node, key, "%w; a right value is %s", err, exampleOf(key))
	}
}

// fieldsOf returns the settings and sections in a section, by their keys.
func fieldsOf(section reflect.Value, key string) map[string]reflect.Value {
	fields := make(map[string]reflect.Value)
	for i := range section.NumField() {
		fields[joinKey(key, section.Type().Field(i).Tag.Get("yaml"))] = section.Field(i)
	}
	return fields
}

func joinKey(section, name string) string { return strings.TrimPrefix(section+"."+name, ".") }

// target returns the node that an alias stands for. Following one cannot go round in circles: the walk
// is only as deep as the types are.
func target(node *yaml.Node) *yaml.Node {
	if node.Kind == yaml.AliasNode {
		return node.Alias
	}
	return node
}

func isNull(node *yaml.Node) bool { return node.Kind == yaml.ScalarNode && node.ShortTag() == "!!null" }
