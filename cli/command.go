// Package cli is the command line: it reads what the program is told, and has the commands that do not run nodes.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/spf13/cobra"

	"versiond/config"
	"versiond/raft/recovery"
)

// exitNotConfirmed is the exit code of a recovery that was not told --yes.
const exitNotConfirmed = 2

// Start runs the nodes of a configuration until the context ends, and prints for people to out. From anew come
// settings that were read again; of these it takes what may change while nodes run.
type Start func(ctx context.Context, cfg config.Config, anew <-chan config.Config, log *slog.Logger, out io.Writer) error

// Program is what the command line runs, in which surroundings.
type Program struct {
	Release        string
	Start          Start
	Environ        []string
	Stdout, Stderr io.Writer
}

// Run does what the arguments say, and returns the exit code.
func (p Program) Run(args []string) int {
	cmd := p.command()
	cmd.SetArgs(args)
	cmd.SetOut(p.Stdout)
	cmd.SetErr(p.Stderr)
	err := cmd.Execute()
	if err == nil {
		return 0
	}
	fmt.Fprintf(p.Stderr, "versiond: %v\n", err)
	if errors.Is(err, recovery.ErrNotConfirmed) {
		return exitNotConfirmed
	}
	return 1
}

func (p Program) command() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "versiond",
		Short: "A replicated registry of version records",
		Long: "versiond keeps version records (id, versionNo, platform) on several nodes that agree by Raft.\n" +
			"Without any setting it runs three nodes in this process on embedded storage.",
		Version:       p.Release,
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	cmd.AddCommand(newHealthCommand(), newRestoreCommand(), newRecoverCommand(p.Environ, p.Stderr), newCertCommand(p.Environ))
	config.BindFlags(cmd.Flags())
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		read := func() (config.Config, error) { return config.Load(cmd.Flags(), p.Environ) }
		cfg, err := read()
		if err != nil {
			return err
		}
		return runUntilSignal(p.Start, cfg, read, p.Stdout, p.Stderr)
	}
	return cmd
}
