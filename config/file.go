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

// readFile gives the values that a YAML file sets, nested as in the file. It reads the document
// itself and not through koanf's parser, because that one drops the line numbers, turns an unquoted
// 0123 into a number, and does not see a second document.
func readFile(name string) (map[string]any, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("config file: %w", err)
	}
	root, err := parseDocument(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	r := fileReader{name: name}
	values := r.mapping(root, reflect.TypeFor[Config](), "")
	return values, errors.Join(r.errs...)
}

var (
	errManyDocuments = errors.New("holds more than one YAML document; one is read")
	errUnquoted      = errors.New(`a value that begins with * or & has to be put in quotes`)
)

// parseDocument gives the root of the only document. An empty file is an empty mapping.
func parseDocument(text []byte) (*yaml.Node, error) {
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	var document, second yaml.Node
	if err := decoder.Decode(&document); errors.Is(err, io.EOF) {
		return &yaml.Node{Kind: yaml.MappingNode}, nil
	} else if err != nil {
		return nil, hideValue(err)
	}
	if err := decoder.Decode(&second); err == nil {
		return nil, errManyDocuments
	} else if !errors.Is(err, io.EOF) {
		return nil, hideValue(err)
	}
	if root := document.Content[0]; !isNull(root) {
		return root, nil
	}
	return &yaml.Node{Kind: yaml.MappingNode}, nil
}

// hideValue replaces the one syntax error that quotes the file: an unquoted password that begins with
// * is taken for an alias and printed as one that is not known. The library has no type for it.
func hideValue(err error) error {
	if strings.Contains(err.Error(), "anchor") {
		return errUnquoted
	}
	return err
}

// fileReader walks a document along the types of Config and collects what is wrong on the way.
type fileReader struct {
	name string
	errs []error
}

func (r *fileReader) fail(at *yaml.Node, key, format string, args ...any) {
	place := fmt.Sprintf("%s:%d: ", r.name, at.Line)
	if key != "" {
		place += key + ": "
	}
	r.errs = append(r.errs, errors.New(place+fmt.Sprintf(format, args...)))
}

// value reads a node into what koanf takes for a setting or section of type t.
func (r *fileReader) value(node *yaml.Node, t reflect.Type, key string) any {
	switch t.Kind() {
	case reflect.Struct:
		return r.mapping(node, t, key)
	case reflect.Slice:
		return r.list(node, t, key)
	default:
		return r.scalar(node, t, key)
	}
}

// mapping reads a section. A key without a value keeps what it had: sections whose lines are all
// commented out are common.
func (r *fileReader) mapping(node *yaml.Node, t reflect.Type, key string) map[string]any {
	values := make(map[string]any)
	if node.Kind != yaml.MappingNode {
		r.fail(node, key, "has to be a section, with lines of the form key: value")
		return values
	}
	fields, lines := fieldsOf(t), make(map[string]int)
	for i := 0; i+1 < len(node.Content); i += 2 {
		name, value := node.Content[i], target(node.Content[i+1])
		field, known := fields[name.Value]
		switch path := joinKey(key, name.Value); {
		case !known:
			r.fail(name, path, "unknown setting%s", suggestKey(key, name.Value, fields))
		case lines[name.Value] != 0:
			r.fail(name, path, "given twice, first in line %d", lines[name.Value])
		case !isNull(value):
			values[name.Value] = r.value(value, field, path)
		}
		lines[name.Value] = name.Line
	}
	return values
}

func (r *fileReader) list(node *yaml.Node, t reflect.Type, key string) []any {
	if node.Kind != yaml.SequenceNode {
		r.fail(node, key, "has to be a list, with one item a line after a dash")
		return nil
	}
	var items []any
	for i, item := range node.Content {
		items = append(items, r.value(target(item), t.Elem(), fmt.Sprintf("%s[%d]", key, i)))
	}
	return items
}

func (r *fileReader) scalar(node *yaml.Node, t reflect.Type, key string) any {
	if node.Kind != yaml.ScalarNode {
		r.fail(node, key, "has to be a single value; a right value is %s", exampleOf(key))
		return nil
	}
	value, err := parseText(t, node.Value)
	if err != nil {
		r.fail(node, key, "%v; a right value is %s", err, exampleOf(key))
	}
	return value
}

// fieldsOf gives the types of a section's settings and sections by their name in the file.
func fieldsOf(t reflect.Type) map[string]reflect.Type {
	fields := make(map[string]reflect.Type)
	for i := range t.NumField() {
		fields[t.Field(i).Tag.Get("koanf")] = t.Field(i).Type
	}
	return fields
}

func suggestKey(section, name string, fields map[string]reflect.Type) string {
	var paths []string
	for _, field := range slices.Sorted(maps.Keys(fields)) {
		paths = append(paths, joinKey(section, field))
	}
	return suggestion(joinKey(section, name), paths)
}

func joinKey(section, name string) string {
	if section == "" {
		return name
	}
	return section + "." + name
}

// target gives the node that an alias stands for. Following one cannot go round in circles: the walk
// is only as deep as the types are.
func target(node *yaml.Node) *yaml.Node {
	if node.Kind == yaml.AliasNode {
		return node.Alias
	}
	return node
}

func isNull(node *yaml.Node) bool { return node.Kind == yaml.ScalarNode && node.ShortTag() == "!!null" }
