package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"strconv"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"versiond/client"
)

const (
	// batchBytesMax is below the 512 KiB that a batch may have of ids and contents, and the MiB that its JSON may have.
	batchBytesMax = 300 << 10
	// readers is how many records are read at the same time.
	readers = 16
	// roundsMax bounds how often a write is tried while others change the same record.
	roundsMax = 5
	// refusedShown is how many refused records are printed one by one.
	refusedShown = 50
)

// importer brings a file's records into the cluster.
type importer struct {
	c               *client.Client
	s               *screen
	existing        string
	replace, dryRun bool
	progress        *progress
	expectThere     bool
	Created         int `json:"created"`
	Updated         int `json:"updated"`
	Unchanged       int `json:"unchanged"`
	Kept            int `json:"kept"`
	Refused         int `json:"refused"`
}

const importHelp = `import brings the records of FILE, or of standard input (-), into the cluster: JSON lines as versiond export writes them,
CSV with a header or with the three columns id, version and platform, or what dpkg-query prints. What is there already and
is the same is left alone, so that an import which was broken off is simply run again: it goes on where it ended. What a
record of the file does not say stays as it is in the cluster, unless --replace is given. false says something, and so do
null, "" and {} in JSON.

What is refused is printed with its line, and the rest is done; the exit code is then 1.`

func newImportCommand(environ []string) *cobra.Command {
	im, form, platform := importer{}, "", ""
	cmd := &cobra.Command{
		Use:   "import [FILE]",
		Short: "Bring records from a file into the cluster",
		Long:  importHelp + exitHelp,
		Example: "  versiond import versions.jsonl\n" +
			"  dpkg-query -W -f '${binary:Package}\\t${Version}\\t${Architecture}\\n' | versiond import\n" +
			"  versiond import packages.csv --existing keep --dry-run",
		Args: asUsage(cobra.MaximumNArgs(1)),
	}
	a := newAsking(cmd, environ)
	cmd.Flags().StringVar(&form, "format", formatAuto, "`FORM` of the file: jsonl, csv, dpkg, or auto to see for itself")
	cmd.Flags().StringVar(&platform, "platform", "", "`PLATFORM` of records in the two columns of dpkg-query -W")
	cmd.Flags().StringVar(&im.existing, "existing", "update", "`WHAT` to do with a record that is there and differs: update or keep")
	cmd.Flags().BoolVar(&im.replace, "replace", false, "take out of existing records what the file does not say")
	cmd.Flags().BoolVar(&im.dryRun, "dry-run", false, "say what would be done, and do nothing")
	mustComplete(cmd, "format", formatAuto, formatLines, formatCSV, formatDpkg)
	mustComplete(cmd, "existing", "update", "keep")
	cmd.RunE = a.run(func(ctx context.Context, c *client.Client, s *screen, args []string) error {
		if im.existing != "update" && im.existing != "keep" {
			return usagef(cmd, "--existing must be update or keep, not %q", im.existing)
		}
		if form != formatAuto && form != formatLines && form != formatCSV && form != formatDpkg {
			return usagef(cmd, "--format must be jsonl, csv, dpkg or auto, not %q", form)
		}
		in, done, err := openInput(ctx, cmd.InOrStdin(), append(args, "-")[0])
		if err != nil {
			return err
		}
		defer done()
		im.c, im.s, im.progress = c, s, s.progress()
		next, err := newSource(in, form, platform)
		if err != nil {
			return err
		}
		return im.run(ctx, next)
	})
	return cmd
}

// run imports all there is, in chunks that are written together.
func (im *importer) run(ctx context.Context, next source) error {
	var chunk []item
	ids, bytes := map[string]bool{}, 0
	var err error
	for err == nil {
		var one item
		one, err = next()
		size := len(one.record.ID) + recordBytes(one.record)
		if err != nil || len(chunk) == client.BatchMax || bytes+size > batchBytesMax || ids[one.record.ID] {
			if wrong := im.chunk(ctx, chunk); wrong != nil {
				return im.brokenOff(chunk, wrong)
			}
			chunk, bytes = chunk[:0], 0
			clear(ids)
		}
		switch {
		case err != nil:
		case one.err != nil:
			im.refuse(one.line, one.err.Error())
		default:
			chunk, bytes, ids[one.record.ID] = append(chunk, one), bytes+size, true
		}
	}
	if !errors.Is(err, io.EOF) {
		return im.brokenOff(nil, err)
	}
	return im.end()
}

func recordBytes(r client.Record) int {
	text, _ := json.Marshal(r) // it came from JSON or has texts alone
	return len(text)
}

// brokenOff returns an error that says where an import has ended before its end.
func (im *importer) brokenOff(chunk []item, err error) error {
	im.progress.clear()
	where := "at the end of what could be read"
	if len(chunk) > 0 {
		where = fmt.Sprintf("in lines %d to %d", chunk[0].line, chunk[len(chunk)-1].line)
	}
	fmt.Fprintf(im.s.err, "broken off %s, after %s; run it again to go on\n", where, im.text())
	return err
}

func (im *importer) end() error {
	im.progress.clear()
	if err := im.s.answer(im, func(w io.Writer) { fmt.Fprintln(w, im.text()) }); err != nil {
		return err
	}
	if im.Refused > refusedShown {
		fmt.Fprintf(im.s.err, "…and %d more were refused\n", im.Refused-refusedShown)
	}
	if im.Refused > 0 {
		return errors.Join(im.s.flush(), exitWith(exitOther))
	}
	return nil
}

func (im *importer) text() string {
	did := map[bool]string{true: "would be ", false: ""}[im.dryRun]
	text := fmt.Sprintf("%d %screated, %d %supdated, %d unchanged", im.Created, did, im.Updated, did, im.Unchanged)
	if im.Kept > 0 {
		text += fmt.Sprintf(", %d kept as they are", im.Kept)
	}
	return fmt.Sprintf("%s, %d refused", text, im.Refused)
}

func (im *importer) refuse(line int, why string) {
	if im.Refused++; im.Refused > refusedShown {
		return
	}
	im.progress.clear()
	if im.s.json {
		_ = json.NewEncoder(im.s.err).Encode(struct {
			Line   int    `json:"line"`
			Detail string `json:"detail"`
		}{line, why}) // there is nobody left to tell
		return
	}
	fmt.Fprintf(im.s.err, "line %d: %s\n", line, why)
}

// whyRefused returns what is wrong with an item, without its place in the batch.
func whyRefused(r client.Result) string {
	if len(r.Err.Fields) == 0 {
		return r.ID + ": " + r.Err.Detail
	}
	var all []string
	for _, each := range r.Err.Fields {
		_, field, _ := strings.Cut(each.Field, ".")
		all = append(all, field+": "+each.Detail)
	}
	return strconv.Quote(r.ID) + ": " + strings.Join(all, "; ")
}

// chunk writes some records, whose ids differ. It takes them for new ones, unless most of the last ones were not, and looks
// at those that are there.
func (im *importer) chunk(ctx context.Context, items []item) error {
	there := map[string]client.Record{}
	total := len(items)
	if im.expectThere || im.dryRun {
		if err := im.read(ctx, items, there); err != nil {
			return err
		}
	}
	met := 0
	for round := 1; len(items) > 0; round++ {
		pending, writes := im.plan(items, there)
		again, err := im.write(ctx, pending, writes, round)
		if err != nil {
			return err
		}
		met = max(met, len(again), len(there))
		if err := im.read(ctx, again, there); err != nil {
			return err
		}
		items = again
	}
	im.expectThere = met*2 > total
	im.progress.say("%s", im.text())
	return nil
}

// plan returns the writes that bring there to what the items say, and the items that they are for.
func (im *importer) plan(items []item, there map[string]client.Record) (pending []item, writes []client.Write) {
	for _, each := range items {
		is, exists := there[each.record.ID]
		switch {
		case !exists:
			writes = append(writes, client.ToCreate(each.record))
		case im.same(is, each):
			im.Unchanged++
			continue
		case im.existing == "keep":
			im.Kept++
			continue
		case im.replace:
			writes = append(writes, client.ToReplace(each.record, client.IfRevision(is.Revision)))
		default:
			writes = append(writes, client.ToUpdate(each.record, client.IfRevision(is.Revision), client.Clear(each.clear...)))
		}
		pending = append(pending, each)
	}
	return pending, writes
}

// same reports whether a write of an item would change nothing.
func (im *importer) same(is client.Record, want item) bool {
	is.Revision = 0
	was, then := said(is), said(want.record)
	if !im.replace {
		after := maps.Clone(was)
		for _, field := range want.clear {
			delete(after, string(field))
		}
		maps.Copy(after, then)
		then = after
	}
	return maps.EqualFunc(was, then, func(a, b json.RawMessage) bool { return bytes.Equal(a, b) })
}

// said returns what a record says, by field.
func said(r client.Record) (fields map[string]json.RawMessage) {
	text, _ := json.Marshal(r)        // it came from JSON or has texts alone
	_ = json.Unmarshal(text, &fields) // likewise
	return fields
}

// write does the writes, counts them, and returns the items whose records were not as they were thought to be.
func (im *importer) write(ctx context.Context, items []item, writes []client.Write, round int) (again []item, err error) {
	if len(writes) == 0 {
		return nil, nil
	}
	if im.dryRun {
		im.count(writes)
		return nil, nil
	}
	results, err := im.c.Batch(ctx, writes)
	if err != nil {
		return nil, err
	}
	for i, result := range results {
		switch {
		case result.Err == nil:
			im.count(writes[i : i+1])
		case moved(result.Err) && round < roundsMax:
			again = append(again, items[i])
		default:
			im.refuse(items[i].line, whyRefused(result))
		}
	}
	return again, nil
}

func moved(err error) bool {
	return errors.Is(err, client.ErrAlreadyExists) || errors.Is(err, client.ErrNotFound) || errors.Is(err, client.ErrRevisionMismatch)
}

func (im *importer) count(writes []client.Write) {
	for _, each := range writes {
		if each.Creates() {
			im.Created++
		} else {
			im.Updated++
		}
	}
}

// read looks at the records that the items are about. What is wrong with an id the write will say.
func (im *importer) read(ctx context.Context, items []item, there map[string]client.Record) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var mu sync.Mutex
	var wg sync.WaitGroup
	for worker := range readers {
		wg.Go(func() {
			for i := worker; i < len(items) && ctx.Err() == nil; i += readers {
				id := items[i].record.ID
				record, err := im.c.Get(ctx, id)
				switch {
				case err == nil:
					mu.Lock()
					there[id] = record
					mu.Unlock()
				case errors.Is(err, client.ErrNotFound):
					mu.Lock()
					delete(there, id)
					mu.Unlock()
				case !errors.Is(err, client.ErrInvalidRequest) && id != "":
					cancel(err)
				}
			}
		})
	}
	wg.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}
