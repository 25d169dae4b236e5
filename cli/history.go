package cli

import (
	"context"
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
