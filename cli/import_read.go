package cli

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
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
	err    error
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
		return lines(in, parseJSON, "[", "]"), nil
	case formatDpkg:
		return lines(in, func(text string) (client.Record, error) { return parseDpkg(text, platform) }), nil
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
func lines(r io.Reader, parse func(text string) (client.Record, error), skip ...string) source {
	scanner := bufio.NewScanner(r)
	scanner.Buffer(nil, lineBytesMax)
	n := 0
	return func() (item, error) {
		for scanner.Scan() {
			n++
			if text := strings.TrimSpace(scanner.Text()); text == "" || slices.Contains(skip, text) {
				continue
			}
			record, err := parse(scanner.Text())
			return item{line: n, record: record, err: err}, nil
		}
		if err := scanner.Err(); err != nil {
			return item{}, fmt.Errorf("line %d: %w", n+1, err)
		}
		return item{}, io.EOF
	}
}

// parseJSON reads a record as versiond export and list -o json write it: of a list each line is one, but for its brackets.
func parseJSON(text string) (r client.Record, err error) {
	decoder := json.NewDecoder(strings.NewReader(strings.TrimSuffix(strings.TrimSpace(text), ",")))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&r); err != nil {
		return client.Record{}, jsonWords(err)
	}
	if rest, _ := io.ReadAll(decoder.Buffered()); len(bytes.TrimSpace(rest)) > 0 {
		return client.Record{}, errors.New("has something after the record")
	}
	r.Revision = 0 // another cluster's means nothing here, and this one's has nothing to be compared with
	return r, nil
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
func parseDpkg(text, platform string) (client.Record, error) {
	fields := strings.Split(strings.TrimRight(text, "\r"), "\t")
	if len(fields) == 2 && platform != "" {
		fields = append(fields, platform)
	}
	if len(fields) != 3 {
		return client.Record{}, fmt.Errorf("has %d columns with tabs between them; package, version and architecture are three (two with --platform)", len(fields))
	}
	return client.Record{ID: fields[0], VersionNo: fields[1], Platform: fields[2]}, nil
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
		line, _ := reader.FieldPos(0)
		record, err := parseCells(columns, cells)
		return item{line: line, record: record, err: err}, nil
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

func parseCells(columns, cells []string) (r client.Record, err error) {
	if len(cells) != len(columns) {
		return r, fmt.Errorf("has %d columns and not %d (%s)", len(cells), len(columns), strings.Join(columns, ","))
	}
	for i, name := range columns {
		if cells[i] == "" {
			continue
		}
		if err := setCell(&r, name, cells[i]); err != nil {
			return client.Record{}, err
		}
	}
	return r, nil
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
