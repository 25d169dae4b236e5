// Package cli is the command line: it reads what the program is told, and has the commands that do not run nodes.
package cli

import (
	"context"
	"io"
	"log/slog"
	"strings"

	"github.com/spf13/cobra"

	"versiond/config"
)

// Start runs the nodes of a configuration until the context ends, and prints for people to out. From anew come
// settings that were read again; of these it takes what may change while nodes run.
type Start func(ctx context.Context, cfg config.Config, anew <-chan config.Config, log *slog.Logger, out io.Writer) error

// Program is what the command line runs, in which surroundings.
type Program struct {
	Release        string
	Start          Start
	Environ        []string
	Stdin          io.Reader
	Stdout, Stderr io.Writer
}

// Run does what the arguments say, and returns the exit code.
func (p Program) Run(args []string) int {
	root := p.command()
	root.SetArgs(args)
	root.SetIn(p.Stdin)
	root.SetOut(p.Stdout)
	root.SetErr(p.Stderr)
	cmd, err := root.ExecuteC()
	if err == nil {
		return 0
	}
	printError(p.Stderr, err, p.wantsJSON(cmd))
	return exitCode(err)
}

// wantsJSON reports whether a command was told to answer in JSON.
func (p Program) wantsJSON(cmd *cobra.Command) bool {
	flag := cmd.Flags().Lookup("output")
	if flag == nil {
		return false
	}
	if !flag.Changed {
		return config.LookupEnv(p.Environ, outputEnv) == "json"
	}
	return flag.Value.String() == "json"
}

func (p Program) command() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "versiond",
		Short: "A replicated registry of version records",
		Long: "versiond keeps version records (id, versionNo, platform) on several nodes that agree by Raft.\n" +
			"Without a command it runs nodes: three of them in this process, on embedded storage, where no setting says otherwise.\n" +
			"The commands ask a cluster that runs, or look after nodes that do not.",
		Example: "  versiond                                    # three nodes in this terminal\n" +
			"  versiond create myapp 1.0.0 linux           # in another one\n" +
			"  versiond check 0.9.0 myapp\n" +
			"  versiond status",
		Version:       versionText(p.Release),
		Args:          noSuchCommand,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	cmd.AddGroup(groups...)
	p.add(cmd, groupRecords, newGetCommand, newListCommand, newCreateCommand, newUpdateCommand, newDeleteCommand, newHistoryCommand, newWatchCommand,
		newLatestCommand, newCheckCommand, newCompareCommand, newImportCommand, newExportCommand)
	p.add(cmd, groupCluster, newStatusCommand, newPeersCommand, newLeaderCommand, newJoinCommand, newRemoveCommand, newBackupCommand, newRestoreCommand)
	p.add(cmd, groupNodes, newConfigCommand, newCertCommand, func([]string) *cobra.Command { return newHealthCommand() },
		func(environ []string) *cobra.Command { return newRecoverCommand(environ, p.Stderr) })
	cmd.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return usagef(cmd, "%w", err) })
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

// The groups of commands in the help.
const groupRecords, groupCluster, groupNodes = "records", "cluster", "nodes"

var groups = []*cobra.Group{
	{ID: groupRecords, Title: "Records of a cluster that runs:"},
	{ID: groupCluster, Title: "The cluster itself:"},
	{ID: groupNodes, Title: "Nodes, and what they need:"},
}

func (p Program) add(to *cobra.Command, group string, makers ...func(environ []string) *cobra.Command) {
	for _, make := range makers {
		cmd := make(p.Environ)
		cmd.GroupID = group
		to.AddCommand(cmd)
	}
}

// noSuchCommand refuses arguments that are no command, and says which one was probably meant.
func noSuchCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	cmd.SuggestionsMinimumDistance = 2
	if meant := cmd.SuggestionsFor(args[0]); len(meant) > 0 {
		return usagef(cmd, "there is no command %q; did you mean %s?", args[0], strings.Join(meant, " or "))
	}
	return usagef(cmd, "there is no command %q", args[0])
}
