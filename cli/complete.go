package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"versiond/client"
)

const (
	// completeTimeout is how long a shell waits for completions.
	completeTimeout = 2 * time.Second
	completionsMax  = 100
)

// completion is what cobra asks for.
type completion = func(cmd *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective)

// completeIDs completes the ids of records from the cluster, for at most so many arguments, any number when it is 0.
func (a *asking) completeIDs(most int) completion {
	return a.complete(most, func(ctx context.Context, c *client.Client, begun string) (ids []string) {
		page, _ := c.Page(ctx, client.Filter{Prefix: begun}, "", completionsMax) // without an answer there are no completions
		for _, record := range page.Records {
			ids = append(ids, record.ID)
		}
		return ids
	})
}

// afterFirst completes all arguments but the first one.
func afterFirst(rest completion) completion {
	return func(cmd *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
		if len(args) == 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return rest(cmd, args, begun)
	}
}

// completeMembers completes the ids of nodes.
func (a *asking) completeMembers() completion {
	return a.complete(1, func(ctx context.Context, c *client.Client, _ string) (ids []string) {
		peers, _ := c.Peers(ctx) // as above
		for _, member := range peers.Members {
			ids = append(ids, member.ID)
		}
		return ids
	})
}

func (a *asking) complete(most int, find func(ctx context.Context, c *client.Client, begun string) []string) completion {
	return func(cmd *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
		if most > 0 && len(args) >= most {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		c, err := a.client(cmd)
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		defer c.Close()
		ctx, cancel := context.WithTimeout(context.Background(), completeTimeout)
		defer cancel()
		return find(ctx, c, begun), cobra.ShellCompDirectiveNoFileComp
	}
}
