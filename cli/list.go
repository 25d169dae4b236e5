package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"unicode"

	"github.com/spf13/cobra"

	"versiond/client"
)

// rowsAtOnce is how many rows of a long list are lined up together.
const rowsAtOnce = 500

func newListCommand(environ []string) *cobra.Command {
	var which client.Filter
	var limit int
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List records, in the order of their ids",
		Long:    "list prints all records, or those whose ids begin with --prefix, or those of a --platform. With -o json it is one\narray, a record a line.",
		Example: "  versiond list --prefix lib --platform amd64\n  versiond list -o json | jq -r '.[].id'",
		Args:    asUsage(cobra.NoArgs),
	}
	a := newAsking(cmd, environ).withLevel(cmd)
	bindFilter(cmd, a, &which)
	cmd.Flags().IntVar(&limit, "limit", 0, "`N` records at most; all when 0")
	cmd.RunE = a.run(func(ctx context.Context, c *client.Client, s *screen, _ []string) error {
		l := newLister(s)
		for record, err := range c.List(ctx, which) {
			if err != nil {
				return errors.Join(err, s.flush())
			}
			if err := l.add(record); err != nil {
				return err
			}
			if l.count == limit {
				break
			}
		}
		return l.end()
	})
	return cmd
}

func bindFilter(cmd *cobra.Command, a *asking, which *client.Filter) {
	cmd.Flags().StringVar(&which.Prefix, "prefix", "", "only records whose ids begin with `TEXT`")
	cmd.Flags().StringVar(&which.Platform, "platform", "", "only records of this `PLATFORM`")
	if err := cmd.RegisterFlagCompletionFunc("prefix", a.completeIDs(1)); err != nil {
		panic(err) // it was declared above
	}
}

// lister prints records one by one.
type lister struct {
	s     *screen
	table *tabwriter.Writer
	count int
}

func newLister(s *screen) *lister {
	l := &lister{s: s, table: newTable(s.out)}
	if !s.json {
		row(l.table, "ID", "VERSION", "PLATFORM", "MORE")
	}
	return l
}

func (l *lister) add(r client.Record) error {
	l.count++
	if l.s.json {
		text, err := json.Marshal(r)
		fmt.Fprintf(l.s.out, "%s%s", map[bool]string{true: "[\n", false: ",\n"}[l.count == 1], text)
		return err
	}
	row(l.table, r.ID, r.VersionNo, r.Platform, strings.Join(details(r), " "))
	if l.count%rowsAtOnce == 0 {
		return l.table.Flush()
	}
	return nil
}

func (l *lister) end() error {
	switch {
	case !l.s.json:
		return l.table.Flush()
	case l.count == 0:
		fmt.Fprintln(l.s.out, "[]")
	default:
		fmt.Fprintln(l.s.out, "\n]")
	}
	return nil
}

// details returns what a record says beyond its three fields, as name=value. A value that has line breaks or tabs is quoted:
// as it is it would pass for lines and columns of the table.
func details(r client.Record) (all []string) {
	text := func(name, value string) {
		if value != "" {
			all = append(all, name+"="+value)
		}
	}
	text("scheme", r.Scheme)
	text("minVersionNo", r.MinVersionNo)
	text("fromVersionNo", r.FromVersionNo)
	if r.Mandatory {
		all = append(all, "mandatory")
	}
	if r.RolloutPercent != nil {
		all = append(all, fmt.Sprintf("rollout=%d%%", *r.RolloutPercent))
	}
	if r.Withdrawn {
		all = append(all, "withdrawn")
	}
	for _, name := range slices.Sorted(maps.Keys(r.Attributes)) {
		all = append(all, name+"="+inOneLine(r.Attributes[name]))
	}
	return all
}

func inOneLine(value string) string {
	if strings.ContainsFunc(value, unicode.IsControl) {
		return strconv.Quote(value)
	}
	return value
}

// record prints one record.
func (s *screen) record(r client.Record) error {
	return s.answer(r, func(w io.Writer) {
		row(w, "id", r.ID)
		row(w, "versionNo", r.VersionNo)
		row(w, "platform", r.Platform)
		for _, each := range details(r) {
			name, value, has := strings.Cut(each, "=")
			if !has {
				value = "yes"
			}
			row(w, name, value)
		}
		row(w, "revision", r.Revision)
	})
}
