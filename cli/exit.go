package cli

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"versiond/client"
	"versiond/raft/recovery"
)

// The exit codes of all commands, and those that single commands have beside them.
const (
	exitOther          = 1
	exitUsage          = 2
	exitNotFound       = 3
	exitConflict       = 4
	exitUnavailable    = 5
	exitOutcomeUnknown = 6

	// exitNotConfirmed is that of a recovery that was not told --yes.
	exitNotConfirmed = 2
	// exitOptional, exitMandatory and exitDowngrade are those of versiond check --exit-code.
	exitOptional, exitMandatory, exitDowngrade = 10, 11, 12
)

const exitHelp = `

Exit codes: 0 done, 1 other, 2 wrong usage or a value that is not valid, 3 not found, 4 conflict (it exists already, or has
another revision), 5 unavailable (nothing was done, try later), 6 outcome unknown (it may have been done).`

// errUsage is that of a command which was not written as its help says.
type errUsage struct {
	err  error
	name string
}

func (e *errUsage) Error() string {
	return fmt.Sprintf("%v\n%s --help says how it is used", e.err, e.name)
}
func (e *errUsage) Unwrap() error { return e.err }

// usagef is an error of a command that was given what it does not take.
func usagef(cmd *cobra.Command, format string, args ...any) error {
	return &errUsage{fmt.Errorf(format, args...), cmd.CommandPath()}
}

// asUsage makes every error of a check of arguments one of usage.
func asUsage(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if check(cmd, args) != nil {
			return usagef(cmd, "%s; the command is: %s", countText(len(args)), cmd.UseLine())
		}
		return nil
	}
}

func countText(n int) string {
	if n == 1 {
		return "1 argument is given"
	}
	return fmt.Sprintf("%d arguments are given", n)
}

// exitWith is an error that is no failure: it says with which code the program ends, and is not printed.
type exitWith int

func (e exitWith) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

// exitCode returns the exit code that an error stands for.
func exitCode(err error) int {
	var usage *errUsage
	var code exitWith
	switch {
	case err == nil:
		return 0
	case errors.As(err, &code):
		return int(code)
	case errors.Is(err, recovery.ErrNotConfirmed):
		return exitNotConfirmed
	case errors.As(err, &usage):
		return exitUsage
	}
	for _, each := range exitCodes {
		if errors.Is(err, each.code) {
			return each.exit
		}
	}
	return exitOther
}

// exitCodes are those of what the cluster answers. The first match counts.
var exitCodes = []struct {
	code client.Code
	exit int
}{
	{client.ErrOutcomeUnknown, exitOutcomeUnknown},
	{client.ErrNotFound, exitNotFound},
	{client.ErrAlreadyExists, exitConflict},
	{client.ErrRevisionMismatch, exitConflict},
	{client.ErrNotNewer, exitConflict},
	{client.ErrIDInUse, exitConflict},
	{client.ErrAddressInUse, exitConflict},
	{client.ErrQuorumAtRisk, exitConflict},
	{client.ErrBatchRefused, exitConflict},
	{client.ErrInvalidRequest, exitUsage},
	{client.ErrNodeUnreachable, exitUnavailable},
	{client.ErrUnavailable, exitUnavailable},
}
