package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"versiond/client"
)

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
	cmd.Flags().Uint64Var(&w.since, "since", 0, "`REVISION` after which to go on; 0 is --all")
	cmd.Flags().BoolVar(&w.bookmarks, "bookmarks", false, "print how far nothing was missed, too, every ten seconds")
	cmd.RunE = a.run(func(ctx context.Context, c *client.Client, s *screen, ids []string) error {
		if w.which.IDs = ids; w.all && w.since != 0 {
			return usagef(cmd, "--all and --since do not go together")
		}
		w.all = w.all || cmd.Flags().Changed("since") && w.since == 0
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
		if err := w.print(s, e); err != nil {
			return err
		}
		if e.Type == client.EventBookmark || w.last != 0 || !w.all {
			w.last = e.Revision
		}
	}
	return nil
}

// farewell prints the command that goes on where this watch has ended.
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
