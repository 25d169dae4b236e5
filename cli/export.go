package cli

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strconv"

	"github.com/spf13/cobra"

	"versiond/client"
)

func newExportCommand(environ []string) *cobra.Command {
	var which client.Filter
	var form string
	cmd := &cobra.Command{
		Use:   "export [FILE]",
		Short: "Write records as JSON lines or CSV",
		Long: "export writes all records, or those whose ids begin with --prefix, or those of a --platform, to FILE or to standard\n" +
			"output. FILE is there once all of it is. Each page of 500 is of one moment; a backup is of one moment as a whole.",
		Example: "  versiond export versions.jsonl\n  versiond export --format csv --platform amd64 > amd64.csv",
		Args:    asUsage(cobra.MaximumNArgs(1)),
	}
	a := newAsking(cmd, environ).withLevel(cmd)
	bindFilter(cmd, a, &which)
	cmd.Flags().StringVar(&form, "format", formatLines, "`FORM` of the records: jsonl or csv")
	mustComplete(cmd, "format", formatLines, formatCSV)
	cmd.RunE = a.run(func(ctx context.Context, c *client.Client, s *screen, args []string) error {
		if form != formatLines && form != formatCSV {
			return usagef(cmd, "--format must be jsonl or csv, not %q", form)
		}
		name, n := append(args, "-")[0], 0
		p := s.progress()
		err := into(name, 0o666, s.out, func(w io.Writer) error {
			out := newRecordWriter(w, form)
			for record, err := range c.List(ctx, which) {
				if err == nil {
					err = out.write(record)
				}
				if err != nil {
					return err
				}
				n++
				p.say("%d records", n)
			}
			return out.end()
		})
		p.clear()
		if err == nil && name != "-" {
			fmt.Fprintf(s.err, "wrote %d records to %s\n", n, name)
		}
		return err
	})
	return cmd
}

// recordWriter writes records in one of the forms that versiond import reads.
type recordWriter struct {
	lines *bufio.Writer
	csv   *csv.Writer
}

func newRecordWriter(w io.Writer, form string) *recordWriter {
	if form == formatCSV {
		out := &recordWriter{csv: csv.NewWriter(w)}
		_ = out.csv.Write(csvColumns) // end returns what has gone wrong
		return out
	}
	return &recordWriter{lines: bufio.NewWriter(w)}
}

func (w *recordWriter) write(r client.Record) error {
	r.Revision = 0 // it is this cluster's own
	if w.csv != nil {
		return w.csv.Write(csvRow(r))
	}
	return json.NewEncoder(w.lines).Encode(r)
}

func (w *recordWriter) end() error {
	if w.csv != nil {
		w.csv.Flush()
		return w.csv.Error()
	}
	return w.lines.Flush()
}

// csvColumns are the columns of CSV, in their order; the first three alone need no header.
var csvColumns = []string{"id", "versionNo", "platform", "scheme", "minVersionNo", "fromVersionNo", "mandatory", "rolloutPercent", "withdrawn", "attributes"}

func csvRow(r client.Record) []string {
	rollout, attributes := "", ""
	if r.RolloutPercent != nil {
		rollout = strconv.Itoa(*r.RolloutPercent)
	}
	if len(r.Attributes) > 0 {
		text, _ := json.Marshal(r.Attributes) // strings always can be
		attributes = string(text)
	}
	return []string{r.ID, r.VersionNo, r.Platform, r.Scheme, r.MinVersionNo, r.FromVersionNo, flagText(r.Mandatory), rollout, flagText(r.Withdrawn), attributes}
}

func flagText(set bool) string {
	if set {
		return "true"
	}
	return ""
}
