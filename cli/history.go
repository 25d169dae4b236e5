package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"versiond/client"
)

// historyLimit is how many changes are shown when nothing is said.
const historyLimit = 20

func newHistoryCommand(environ []string) *cobra.Command {
	limit := 0
	cmd := &cobra.Command{
		Use:   "history ID",
		Short: "Say who changed a record, when, and to what",
		Long: "history prints the changes of a record, the newest first, also of one that is deleted. 100 of an id are kept, and more of\n" +
			"the newest ones. When and who only inform: a node's clock, and the name of a token." + exitHelp,
		Example: "  versiond history myapp\n  versiond history myapp --limit 3 -o json",
		Args:    asUsage(cobra.ExactArgs(1)),
	}
	a := newAsking(cmd, environ).withLevel(cmd)
	cmd.ValidArgsFunction = a.completeIDs(1)
	cmd.Flags().IntVar(&limit, "limit", historyLimit, "`N` changes at most, 1 to 1000")
	cmd.RunE = a.run(func(ctx context.Context, c *client.Client, s *screen, args []string) error {
		page, err := c.HistoryPage(ctx, args[0], "", limit)
		if err != nil {
			return err
		}
		if page.Changes == nil {
			page.Changes = []client.Change{}
		}
		err = errors.Join(s.answer(page.Changes, func(w io.Writer) {
			row(w, "REVISION", "AT", "BY", "OP", "VERSION", "PLATFORM", "MORE")
			for _, change := range page.Changes {
				row(w, change.Revision, timeText(change.At), orNone(change.By), change.Op, orNone(change.VersionNo), platformText(change), strings.Join(details(change.Record), " "))
			}
		}), s.flush())
		switch {
		case page.Next != "":
			fmt.Fprintln(s.err, "There are older changes: see --limit.")
		case !page.Complete:
			fmt.Fprintln(s.err, "Older changes are not kept any more.")
		}
		return err
	})
	return cmd
}

func orNone(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

func timeText(at time.Time) string {
	if at.IsZero() {
		return "-"
	}
	return at.Format(time.RFC3339)
}

func platformText(change client.Change) string {
	if change.WasPlatform != "" {
		return change.WasPlatform + " -> " + change.Platform
	}
	return change.Platform
}

// watching is what versiond watch was told.
type watching struct {
	which     client.Question
	all       bool
	since     uint64
	bookmarks bool
	// last is the revision from which to go on, 0 while there is none.
	last uint64
}

func newWatchCommand(environ []string) *cobra.Command {
	var w watching
	cmd := &cobra.Command{
		Use:   "watch [ID...]",
		Short: "Print what is written, as it comes",
		Long: "watch prints each change of the ids that are given, or of those that begin with --prefix, and of those of --platform, once\n" +
			"and in its order, until Ctrl-C. It goes on with another node when one is lost. --all prints first what there is; --since\n" +
			"goes on from a revision that was seen before, and so does not miss what came in between." + exitHelp,
		Example: "  versiond watch\n  versiond watch --all --prefix myapp -o json\n  versiond watch --since 28672",
	}
	a := newAsking(cmd, environ).withLevel(cmd)
	cmd.ValidArgsFunction = a.completeIDs(0)
	bindQuestion(cmd, &w.which)
	cmd.Flags().BoolVar(&w.all, "all", false, "print first what there is")
	cmd.Flags().Uint64Var(&w.since, "since", 0, "`REVISION` after which to go on")
	cmd.Flags().BoolVar(&w.bookmarks, "bookmarks", false, "print how far nothing was missed, too, every ten seconds")
	cmd.RunE = a.run(func(ctx context.Context, c *client.Client, s *screen, ids []string) error {
		if w.which.IDs = ids; w.all && w.since != 0 {
			return usagef(cmd, "--all and --since do not go together")
		}
		return w.run(ctx, c, s)
	})
	return cmd
}

func (w *watching) start() client.Start {
	switch {
	case w.all:
		return client.Everything()
	case w.since != 0:
		return client.After(w.since)
	}
	return client.Now()
}

// run follows until Ctrl-C. Once it has a place to go on from, it waits for a cluster of which no node answers.
func (w *watching) run(ctx context.Context, c *client.Client, s *screen) error {
	from := w.start()
	for {
		err := w.follow(ctx, c, s, from)
		switch {
		case ctx.Err() != nil:
			w.farewell(s)
			return nil
		case errors.Is(err, client.ErrRevisionGone):
			return err // nothing goes on from where it was
		case w.last == 0 || !errors.Is(err, client.ErrUnavailable):
			w.farewell(s)
			return err
		}
		fmt.Fprintf(s.err, "%v; still trying\n", err)
		from = client.After(w.last)
	}
}

func (w *watching) follow(ctx context.Context, c *client.Client, s *screen, from client.Start) error {
	for e, err := range c.Watch(ctx, w.which, from) {
		if err != nil {
			return err
		}
		if e.Type == client.EventBookmark || w.last != 0 || !w.all {
			w.last = e.Revision
		}
		if err := w.print(s, e); err != nil {
			return err
		}
	}
	return nil
}

// farewell says where to go on.
func (w *watching) farewell(s *screen) {
	if w.last != 0 {
		fmt.Fprintf(s.err, "versiond watch --since %d goes on from here\n", w.last)
	}
}

func (w *watching) print(s *screen, e client.Event) error {
	switch {
	case e.Type == client.EventBookmark && !w.bookmarks:
		return nil
	case s.json:
		if err := json.NewEncoder(s.out).Encode(e); err != nil {
			return err
		}
	case e.Type == client.EventPut:
		r := e.Record
		fmt.Fprintln(s.out, strings.TrimRight(fmt.Sprintf("put       %d  %s  %s  %s  %s", e.Revision, r.ID, r.VersionNo, r.Platform, strings.Join(details(*r), " ")), " "))
	case e.Type == client.EventDelete:
		fmt.Fprintf(s.out, "delete    %d  %s\n", e.Revision, e.ID)
	default:
		fmt.Fprintf(s.out, "bookmark  %d\n", e.Revision)
	}
	return s.flush()
}
