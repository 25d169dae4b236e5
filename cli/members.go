package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"versiond/client"
)

func newPeersCommand(environ []string) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "peers",
		Short:   "List the members of the cluster",
		Long:    "peers prints every member as the node sees it that answers. versiond status says what is wrong, too.",
		Example: "  versiond peers\n  versiond peers -o json --url http://10.0.0.1:8081,http://10.0.0.2:8081",
		Args:    asUsage(cobra.NoArgs),
	}
	a := newAsking(cmd, environ)
	cmd.RunE = a.run(func(ctx context.Context, c *client.Client, s *screen, _ []string) error {
		peers, err := c.Peers(ctx)
		if err != nil {
			return err
		}
		return s.answer(peers, func(w io.Writer) {
			row(w, "ID", "ROLE", "STATE", "APPLIED", "LAG", "RELEASE", "ADDRESS", "PORT")
			for _, p := range peers.Members {
				if p.Reachable {
					row(w, p.ID, p.Suffrage, p.State, p.AppliedIndex, p.Lag, orNone(p.Release), p.Address, p.Port)
				} else {
					row(w, p.ID, p.Suffrage, "no answer", "-", "-", "-", p.Address, "-")
				}
			}
		})
	})
	return cmd
}

func newLeaderCommand(environ []string) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "leader [ID]",
		Short:   "Say who leads, or hand the lead to a member",
		Example: "  versiond leader\n  versiond leader node2",
		Args:    asUsage(cobra.MaximumNArgs(1)),
	}
	a := newAsking(cmd, environ)
	cmd.ValidArgsFunction = a.completeMembers()
	cmd.RunE = a.run(func(ctx context.Context, c *client.Client, s *screen, args []string) error {
		ask := c.Leader
		if len(args) == 1 {
			ask = func(ctx context.Context) (client.Leader, error) { return c.TransferLeadership(ctx, args[0]) }
		}
		leader, err := ask(ctx)
		if err != nil {
			return err
		}
		return s.answer(leader, func(w io.Writer) {
			fmt.Fprintf(w, "%s leads, at %s, public port %d\n", leader.ID, leader.Address, leader.Port)
		})
	})
	return cmd
}

func newJoinCommand(environ []string) *cobra.Command {
	var opts client.JoinOptions
	cmd := &cobra.Command{
		Use:   "join ID ADDRESS",
		Short: "Make a node a member",
		Long: "join makes the node a member that answers at ADDRESS, its peer port. It gets its vote when it has caught up. To join\n" +
			"again is no error; an id at a new ADDRESS moves there when nothing answers at the old one." + exitHelp,
		Example: "  versiond join node4 10.0.0.4:7001\n  versiond join node5 10.0.0.5:7001 --no-vote",
		Args:    asUsage(cobra.ExactArgs(2)),
	}
	a := newAsking(cmd, environ)
	cmd.Flags().BoolVar(&opts.NonVoter, "no-vote", false, "a member that gets everything and has no vote")
	cmd.RunE = a.run(func(ctx context.Context, c *client.Client, s *screen, args []string) error {
		member, err := c.Join(ctx, args[0], args[1], opts)
		if err != nil {
			return err
		}
		return s.answer(member, func(w io.Writer) {
			vote := "has a vote"
			if !member.Voter {
				vote = "has no vote yet"
			}
			if opts.NonVoter {
				vote = "has no vote"
			}
			fmt.Fprintf(w, "%s at %s is a member, and %s\n", member.ID, member.Address, vote)
		})
	})
	return cmd
}

func newRemoveCommand(environ []string) *cobra.Command {
	var opts client.RemoveOptions
	cmd := &cobra.Command{
		Use:   "remove ID",
		Short: "Remove a member",
		Long: "remove takes a member out of the cluster; one that leads hands over first. It is refused when the voters left alive\n" +
			"could not form a quorum. A removed node comes back with versiond join." + exitHelp,
		Example: "  versiond remove node3",
		Args:    asUsage(cobra.ExactArgs(1)),
	}
	a := newAsking(cmd, environ)
	cmd.ValidArgsFunction = a.completeMembers()
	cmd.Flags().BoolVar(&opts.Force, "force", false, "also when the voters left alive could not form a quorum: the cluster then takes no writes")
	cmd.RunE = a.run(func(ctx context.Context, c *client.Client, s *screen, args []string) error {
		if err := c.Remove(ctx, args[0], opts); err != nil {
			return err
		}
		if !s.json {
			fmt.Fprintf(s.out, "removed %s\n", args[0])
		}
		return nil
	})
	return cmd
}
