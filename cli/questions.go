package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"versiond/client"
)

func bindQuestion(cmd *cobra.Command, q *client.Question) {
	cmd.Flags().StringVar(&q.Prefix, "prefix", "", "of the records whose ids begin with `TEXT`")
	cmd.Flags().StringVar(&q.Platform, "platform", "", "of the records of this `PLATFORM`")
}

// checkQuestion refuses a question about all records there are.
func checkQuestion(cmd *cobra.Command, q client.Question) error {
	if len(q.IDs) == 0 && q.Prefix == "" && q.Platform == "" {
		return usagef(cmd, "of which records? Name ids, or give --prefix or --platform")
	}
	return nil
}

func newLatestCommand(environ []string) *cobra.Command {
	var q client.Question
	cmd := &cobra.Command{
		Use:     "latest [ID...]",
		Short:   "Find the record with the newest version",
		Long:    "latest prints the record with the highest version that is not withdrawn: of the ids that are given, or of those that\nbegin with --prefix, and of those of --platform.",
		Example: "  versiond latest --prefix myapp@ --platform ios\n  versiond latest myapp-ios myapp-ios-beta",
	}
	a := newAsking(cmd, environ).withLevel(cmd)
	cmd.ValidArgsFunction = a.completeIDs(0)
	bindQuestion(cmd, &q)
	cmd.RunE = a.run(func(ctx context.Context, c *client.Client, s *screen, ids []string) error {
		q.IDs = ids
		if err := checkQuestion(cmd, q); err != nil {
			return err
		}
		record, err := c.Latest(ctx, q)
		if err != nil {
			return err
		}
		return s.record(record)
	})
	return cmd
}

func newCheckCommand(environ []string) *cobra.Command {
	var q client.Question
	var installed client.Installed
	var exit bool
	cmd := &cobra.Command{
		Use:   "check CURRENT [ID...]",
		Short: "Ask whether a client of a version should update",
		Long: "check says what a client of the version CURRENT should do: none, optional, mandatory or downgrade, and to which record.\n" +
			"It asks about the ids that are given, or about those that begin with --prefix, and about those of --platform. With\n" +
			"--exit-code it ends with 10 when there is an update, 11 when it is mandatory, and 12 when the client should go back." + exitHelp,
		Example: "  versiond check 1.4.0 myapp-ios myapp-ios-beta\n  versiond check 1.4.0 --prefix myapp@ --platform ios --client 6f1c2d0e\n  versiond check \"$installed\" myapp --exit-code; [ $? -lt 10 ] || ./update",
		Args:    asUsage(cobra.MinimumNArgs(1)),
	}
	a := newAsking(cmd, environ).withLevel(cmd)
	bindQuestion(cmd, &q)
	cmd.ValidArgsFunction = afterFirst(a.completeIDs(0))
	cmd.Flags().StringVar(&installed.Client, "client", "", "`NAME` of the client, the same each time; without one it is in no rollout below 100 %")
	cmd.Flags().BoolVar(&exit, "exit-code", false, "say it with the exit code, too")
	cmd.RunE = a.run(func(ctx context.Context, c *client.Client, s *screen, args []string) error {
		installed.Version, q.IDs = args[0], args[1:]
		if err := checkQuestion(cmd, q); err != nil {
			return err
		}
		advice, err := c.Check(ctx, q, installed)
		if err != nil {
			return err
		}
		if err := s.advice(advice); err != nil || !exit {
			return err
		}
		return afterAdvice(s, advice)
	})
	return cmd
}

func (s *screen) advice(advice client.Advice) error {
	return s.answer(advice, func(w io.Writer) {
		row(w, "update", advice.Update)
		row(w, "current", advice.Current)
		if advice.Latest != nil {
			row(w, "latest", advice.Latest.VersionNo+" ("+advice.Latest.ID+")")
		}
		if advice.MinVersionNo != "" {
			row(w, "minimum", advice.MinVersionNo)
		}
		if advice.Ahead {
			row(w, "ahead", "yes")
		}
		row(w, "scheme", advice.Scheme)
	})
}

// afterAdvice ends the program with the code that an update has.
func afterAdvice(s *screen, advice client.Advice) error {
	codes := map[string]exitWith{client.UpdateOptional: exitOptional, client.UpdateMandatory: exitMandatory, client.UpdateDowngrade: exitDowngrade}
	code, is := codes[advice.Update]
	if err := s.flush(); err != nil || !is {
		return err
	}
	return code
}

func newCompareCommand(environ []string) *cobra.Command {
	var scheme string
	cmd := &cobra.Command{
		Use:     "compare A B",
		Short:   "Say which of two versions is newer",
		Example: "  versiond compare 1.9 1.10\n  versiond compare 1:1.0 2.0 --scheme debian",
		Args:    asUsage(cobra.ExactArgs(2)),
	}
	a := newAsking(cmd, environ)
	cmd.Flags().StringVar(&scheme, "scheme", "", "`SCHEME` by which they compare; natural, which takes anything, when not set")
	mustComplete(cmd, "scheme", schemes[:len(schemes)-1]...)
	cmd.RunE = a.run(func(ctx context.Context, c *client.Client, s *screen, args []string) error {
		compared, err := c.Compare(ctx, args[0], args[1], scheme)
		if err != nil {
			return err
		}
		return s.answer(compared, func(w io.Writer) {
			fmt.Fprintf(w, "%s %s %s  (%s)\n", args[0], map[int]string{-1: "<", 0: "=", 1: ">"}[compared.Order], args[1], compared.Scheme)
		})
	})
	return cmd
}
