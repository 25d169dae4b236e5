package cli

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"versiond/client"
)

// The forms of records.
const (
	formatAuto  = "auto"
	formatLines = "jsonl"
	formatCSV   = "csv"
	formatDpkg  = "dpkg"
)

const (
	// lineBytesMax is above the longest record in JSON.
	lineBytesMax = 1 << 20
	// guessBytes is how much is looked at to see which form a file has.
	guessBytes = 64 << 10
)

// item is one record of a file, or what is wrong with it.
type item struct {
	line   int
	record client.Record
	// clear has the fields that the file says are not so, such as withdrawn when it is false.
	clear []client.Field
	err   error
}

// itemOf returns the item of a record, of which the file names some fields.
func itemOf(r client.Record, named []string) item {
	each, says := item{record: r}, said(r)
	for _, field := range client.Fields() {
		isNamed := slices.ContainsFunc(named, func(name string) bool { return strings.EqualFold(name, string(field)) }) // as JSON is read
		if _, set := says[string(field)]; isNamed && !set {
			each.clear = append(each.clear, field)
		}
	}
	return each
}

// source returns the items of a file until io.EOF.
type source func() (item, error)

// newSource reads records in a form, or in the one that the file seems to have.
func newSource(r io.Reader, form, platform string) (source, error) {
	in := bufio.NewReaderSize(r, guessBytes)
	if err := passMark(in); err != nil {
		return nil, err
	}
	if form == formatAuto {
		begin, err := in.Peek(guessBytes)
		if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, bufio.ErrBufferFull) {
			return nil, err
		}
		form = guess(begin)
	}
	switch form {
	case formatLines:
		return lines(in, parseJSON, "[", "]", "[]"), nil
	case formatDpkg:
		return lines(in, func(text string) item { return parseDpkg(text, platform) }), nil
	}
	return newCSV(in)
}

// passMark passes over the byte order mark that programs put before UTF-8, and refuses those of UTF-16.
func passMark(in *bufio.Reader) error {
	begin, _ := in.Peek(len("\uFEFF")) // whoever reads on sees why there was no more
	text := string(begin)
	switch {
	case text == "\uFEFF":
		_, err := in.Discard(len(text))
		return err
	case strings.HasPrefix(text, "\xff\xfe"), strings.HasPrefix(text, "\xfe\xff"):
		return errors.New("the file is in UTF-16; save it in UTF-8")
	}
	return nil
}

// guess returns the form of the first line that has something in it.
func guess(begin []byte) string {
	first, _, _ := bytes.Cut(bytes.TrimLeft(begin, " \t\r\n"), []byte("\n"))
	switch {
	case bytes.HasPrefix(first, []byte("{")), bytes.HasPrefix(first, []byte("[")):
		return formatLines
	case bytes.ContainsRune(first, '\t'):
		return formatDpkg
	}
	return formatCSV
}

// lines reads a record a line; empty lines are passed over, and those that are one of skip.
func lines(r io.Reader, parse func(text string) item, skip ...string) source {
	scanner := bufio.NewScanner(r)
	scanner.Buffer(nil, lineBytesMax)
	n := 0
	return func() (item, error) {
		for scanner.Scan() {
			n++
			if text := strings.TrimSpace(scanner.Text()); text == "" || slices.Contains(skip, text) {
				continue
			}
			one := parse(scanner.Text())
			one.line = n
			return one, nil
		}
		if err := scanner.Err(); err != nil {
			return item{}, fmt.Errorf("line %d: %w", n+1, err)
		}
		return item{}, io.EOF
	}
}

// parseJSON reads a record as versiond export and list -o json write it: of a list each line is one, but for its brackets.
func parseJSON(text string) item {
	text = strings.TrimSuffix(strings.TrimSpace(text), ",")
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.DisallowUnknownFields()
	var r client.Record
	if err := decoder.Decode(&r); err != nil {
		return item{err: jsonWords(err)}
	}
	if rest, _ := io.ReadAll(decoder.Buffered()); len(bytes.TrimSpace(rest)) > 0 {
		return item{err: errors.New("has something after the record")}
	}
	var named map[string]json.RawMessage
	_ = json.Unmarshal([]byte(text), &named) // it is an object: a record was read from it
	r.Revision = 0                           // another cluster's means nothing here, and this one's has nothing to be compared with
	return itemOf(r, slices.Collect(maps.Keys(named)))
}

// jsonWords returns what is wrong with a line of JSON without naming Go's types.
func jsonWords(err error) error {
	var typed *json.UnmarshalTypeError
	switch {
	case errors.As(err, &typed) && typed.Field == "":
		return fmt.Errorf("is a %s and not a record", typed.Value)
	case errors.As(err, &typed):
		return fmt.Errorf("%s: must not be a %s", typed.Field, typed.Value)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("ends within the record")
	}
	return errors.New(strings.TrimPrefix(err.Error(), "json: "))
}

// parseDpkg reads what dpkg-query -W -f '${binary:Package}\t${Version}\t${Architecture}\n' prints, and without -f the two
// columns that it prints then.
func parseDpkg(text, platform string) item {
	fields := strings.Split(strings.TrimRight(text, "\r"), "\t")
	if len(fields) == 2 && platform != "" {
		fields = append(fields, platform)
	}
	if len(fields) != 3 {
		return item{err: fmt.Errorf("has %d columns with tabs between them; package, version and architecture are three (two with --platform)", len(fields))}
	}
	return item{record: client.Record{ID: fields[0], VersionNo: fields[1], Platform: fields[2]}}
}

// newCSV reads CSV with a header that names its columns, or the three columns of every record without one.
func newCSV(r io.Reader) (source, error) {
	reader := csv.NewReader(r)
	reader.FieldsPerRecord = -1
	first, err := reader.Read()
	switch {
	case errors.Is(err, io.EOF):
		return func() (item, error) { return item{}, io.EOF }, nil
	case err != nil:
		return nil, err
	}
	columns, named := csvColumns[:3], slices.Contains(first, "id")
	if named {
		columns = first
		for _, name := range columns {
			if !slices.Contains(csvColumns, name) {
				return nil, fmt.Errorf("line 1: no column is called %q; these are: %s", name, strings.Join(csvColumns, ", "))
			}
		}
	}
	next := func(cells []string, err error) (item, error) {
		var wrong *csv.ParseError
		switch {
		case errors.As(err, &wrong):
			return item{line: wrong.Line, err: wrong.Err}, nil
		case err != nil:
			return item{}, err
		}
		one := parseCells(columns, cells)
		one.line, _ = reader.FieldPos(0)
		return one, nil
	}
	pending := !named
	return func() (item, error) {
		if pending {
			pending = false
			return next(first, nil)
		}
		return next(reader.Read())
	}, nil
}

func parseCells(columns, cells []string) item {
	if len(cells) != len(columns) {
		return item{err: fmt.Errorf("has %d columns and not %d (%s)", len(cells), len(columns), strings.Join(columns, ","))}
	}
	var r client.Record
	var named []string
	for i, name := range columns {
		if cells[i] == "" {
			continue
		}
		if err := setCell(&r, name, cells[i]); err != nil {
			return item{err: err}
		}
		named = append(named, name)
	}
	return itemOf(r, named)
}

func setCell(r *client.Record, column, text string) (err error) {
	switch column {
	case "id":
		r.ID = text
	case "versionNo":
		r.VersionNo = text
	case "platform":
		r.Platform = text
	case "scheme":
		r.Scheme = text
	case "minVersionNo":
		r.MinVersionNo = text
	case "fromVersionNo":
		r.FromVersionNo = text
	case "mandatory":
		r.Mandatory, err = parseFlag(text)
	case "withdrawn":
		r.Withdrawn, err = parseFlag(text)
	case "rolloutPercent":
		var percent int
		if percent, err = strconv.Atoi(text); err != nil {
			err = errors.New("must be a number from 0 to 100")
		}
		r.RolloutPercent = &percent
	case "attributes":
		if json.Unmarshal([]byte(text), &r.Attributes) != nil {
			err = errors.New(`must be a JSON object of texts, such as {"url":"https://…"}`)
		}
	}
	if err != nil {
		return fmt.Errorf("%s: %w", column, err)
	}
	return nil
}

func parseFlag(text string) (bool, error) {
	set, err := strconv.ParseBool(text)
	if err != nil {
		return false, errors.New("must be true or false")
	}
	return set, nil
}
