package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"versiond/client"
)

// updateTries bounds how often a change of some fields is tried while others change the same record.
const updateTries = 10

func newGetCommand(environ []string) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "get ID",
		Short:   "Read a record",
		Example: "  versiond get myapp\n  versiond get @scope/pkg -o json\n  versiond get myapp --level none",
		Args:    asUsage(cobra.ExactArgs(1)),
	}
	a := newAsking(cmd, environ).withLevel(cmd)
	cmd.ValidArgsFunction = a.completeIDs(1)
	cmd.RunE = a.run(func(ctx context.Context, c *client.Client, s *screen, args []string) error {
		record, err := c.Get(ctx, args[0])
		if err != nil {
			return err
		}
		return s.record(record)
	})
	return cmd
}

// fields are the flags that say more of a record.
type fields struct {
	record     client.Record
	rollout    int
	attributes attributes
}

func (f *fields) bind(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.record.Scheme, "scheme", "", "`SCHEME` by which versions compare; natural when not set")
	mustComplete(cmd, "scheme", schemes...)
	flags.StringVar(&f.record.MinVersionNo, "min-version", "", "`VERSION` below which clients must update")
	flags.StringVar(&f.record.FromVersionNo, "from-version", "", "`VERSION` from which on clients may take this one")
	flags.BoolVar(&f.record.Mandatory, "mandatory", false, "clients below this version must update")
	flags.IntVar(&f.rollout, "rollout", 100, "for `PERCENT` of a hundred clients")
	flags.BoolVar(&f.record.Withdrawn, "withdrawn", false, "it is for nobody any more")
	flags.Var(&f.attributes, "attribute", "`NAME=VALUE` for clients to read, such as url=https://…; several times")
}

// attributes are given one by one: a value may have commas.
type attributes map[string]string

func (a *attributes) String() string { return "" }
func (a *attributes) Type() string   { return "NAME=VALUE" }

// Set takes one more.
func (a *attributes) Set(text string) error {
	name, value, has := strings.Cut(text, "=")
	if !has || name == "" {
		return errors.New("is not in the form NAME=VALUE")
	}
	if *a == nil {
		*a = attributes{}
	}
	(*a)[name] = value
	return nil
}

var schemes = []string{"natural", "semver", "debian", "rpm", "maven", "pypi", "nuget", "pub", "published"}

// texts are the flags that take one.
var texts = []string{"platform", "scheme", "min-version", "from-version"}

// checkTexts refuses a text that is empty, as a variable is that nobody has set: it would be left out.
func checkTexts(cmd *cobra.Command, instead string) error {
	for _, flag := range texts {
		if f := cmd.Flags().Lookup(flag); f != nil && f.Changed && f.Value.String() == "" {
			return usagef(cmd, "--%s needs a value; %s", flag, instead)
		}
	}
	return nil
}

// into sets what was given in a record, and returns what was given to be taken out: a flag that is false.
func (f *fields) into(cmd *cobra.Command, r *client.Record) (cleared []client.Field) {
	changed := cmd.Flags().Changed
	for flag, set := range map[string]func(){
		"scheme":       func() { r.Scheme = f.record.Scheme },
		"min-version":  func() { r.MinVersionNo = f.record.MinVersionNo },
		"from-version": func() { r.FromVersionNo = f.record.FromVersionNo },
		"rollout":      func() { r.RolloutPercent = &f.rollout },
		"attribute":    func() { r.Attributes = f.attributes },
	} {
		if changed(flag) {
			set()
		}
	}
	if changed("mandatory") {
		if r.Mandatory = f.record.Mandatory; !r.Mandatory {
			cleared = append(cleared, client.FieldMandatory)
		}
	}
	if changed("withdrawn") {
		if r.Withdrawn = f.record.Withdrawn; !r.Withdrawn {
			cleared = append(cleared, client.FieldWithdrawn)
		}
	}
	return cleared
}

func newCreateCommand(environ []string) *cobra.Command {
	var f fields
	cmd := &cobra.Command{
		Use:     "create ID VERSION PLATFORM",
		Short:   "Create a record",
		Long:    "create makes a record that does not exist yet, and prints it. A write whose answer is lost is sent again, and is done\nonce." + exitHelp,
		Example: "  versiond create myapp 1.0.0 linux\n  versiond create myapp-ios 2.0.0 ios --min-version 1.2.0 --rollout 10 --attribute url=https://example.com/2.0.0",
		Args:    asUsage(cobra.ExactArgs(3)),
	}
	a := newAsking(cmd, environ)
	f.bind(cmd)
	cmd.RunE = a.run(func(ctx context.Context, c *client.Client, s *screen, args []string) error {
		if err := checkTexts(cmd, "leave it out where a record need not have it"); err != nil {
			return err
		}
		record := client.Record{ID: args[0], VersionNo: args[1], Platform: args[2]}
		f.into(cmd, &record)
		made, err := c.Create(ctx, record)
		if err != nil {
			return err
		}
		return s.record(made)
	})
	return cmd
}

// change is what versiond update was told.
type change struct {
	fields
	platform string
	clear    []string
	revision uint64
	newer    bool
}

func newUpdateCommand(environ []string) *cobra.Command {
	var u change
	cmd := &cobra.Command{
		Use:   "update ID [VERSION]",
		Short: "Change a record",
		Long: "update changes what is named, and leaves everything else of the record as it is, also when somebody else changes it at\n" +
			"the same time. --clear takes fields out. With --if-revision it is done only if the record still has that revision, with\n" +
			"--newer only if VERSION comes after the one that it has." + exitHelp,
		Example: "  versiond update myapp 1.1.0\n  versiond update myapp --withdrawn\n  versiond update myapp --withdrawn=false --clear minVersionNo,attributes\n  versiond update myapp 1.2.0 --newer",
		Args:    asUsage(cobra.RangeArgs(1, 2)),
	}
	a := newAsking(cmd, environ)
	cmd.ValidArgsFunction = a.completeIDs(1)
	u.bind(cmd)
	cmd.Flags().StringVar(&u.platform, "platform", "", "another `PLATFORM`")
	cmd.Flags().StringSliceVar(&u.clear, "clear", nil, "`FIELD`s to take out: "+strings.Join(clearable(), ", "))
	cmd.Flags().Uint64Var(&u.revision, "if-revision", 0, "`REVISION` that the record must have")
	cmd.Flags().BoolVar(&u.newer, "newer", false, "only if VERSION comes after the one that the record has")
	mustComplete(cmd, "clear", clearable()...)
	cmd.RunE = a.run(func(ctx context.Context, c *client.Client, s *screen, args []string) error {
		if err := u.check(cmd, args); err != nil {
			return err
		}
		changed, err := u.do(ctx, c, cmd, args)
		if err != nil {
			return err
		}
		return s.record(changed)
	})
	return cmd
}

func clearable() (names []string) {
	for _, field := range client.Fields() {
		names = append(names, string(field))
	}
	return names
}

func (u *change) check(cmd *cobra.Command, args []string) error {
	for _, name := range u.clear {
		if !slices.Contains(clearable(), name) {
			return usagef(cmd, "--clear: %q is no field that can be taken out; these are: %s", name, strings.Join(clearable(), ", "))
		}
	}
	if err := checkTexts(cmd, "--clear takes out what a record need not have"); err != nil {
		return err
	}
	if u.newer && len(args) < 2 {
		return usagef(cmd, "--newer needs a VERSION to compare")
	}
	return checkIfRevision(cmd)
}

// checkIfRevision refuses the revision that no record has: a script that could not read one must not write without it.
func checkIfRevision(cmd *cobra.Command) error {
	if f := cmd.Flags().Lookup("if-revision"); f.Changed && f.Value.String() == "0" {
		return usagef(cmd, "--if-revision must be above 0, as revisions are; without it the record is changed whatever it is")
	}
	return nil
}

// do changes the record as it is, again if somebody was faster.
func (u *change) do(ctx context.Context, c *client.Client, cmd *cobra.Command, args []string) (client.Record, error) {
	for try := 1; ; try++ {
		is, err := c.Get(ctx, args[0])
		if err != nil {
			return client.Record{}, err
		}
		if u.revision != 0 {
			is.Revision = u.revision
		}
		changed, err := u.once(ctx, c, cmd, is, args)
		if u.revision != 0 || try == updateTries || !errors.Is(err, client.ErrRevisionMismatch) {
			return changed, err
		}
	}
}

func (u *change) once(ctx context.Context, c *client.Client, cmd *cobra.Command, is client.Record, args []string) (client.Record, error) {
	next := client.Record{ID: is.ID, VersionNo: is.VersionNo, Platform: is.Platform, Revision: is.Revision}
	if len(args) == 2 {
		next.VersionNo = args[1]
	}
	if u.platform != "" {
		next.Platform = u.platform
	}
	opts := []client.WriteOption{client.Clear(u.into(cmd, &next)...)}
	for _, name := range u.clear {
		opts = append(opts, client.Clear(client.Field(name)))
	}
	if u.newer {
		opts = append(opts, client.Newer())
	}
	return c.Update(ctx, next, opts...)
}

func newDeleteCommand(environ []string) *cobra.Command {
	var revision uint64
	cmd := &cobra.Command{
		Use:     "delete ID...",
		Short:   "Delete records",
		Long:    "delete deletes records, one after the other, and ends at the first that cannot be deleted." + exitHelp,
		Example: "  versiond delete myapp\n  versiond delete myapp --if-revision 28672",
		Args:    asUsage(cobra.MinimumNArgs(1)),
	}
	a := newAsking(cmd, environ)
	cmd.ValidArgsFunction = a.completeIDs(0)
	cmd.Flags().Uint64Var(&revision, "if-revision", 0, "`REVISION` that the record must have")
	cmd.RunE = a.run(func(ctx context.Context, c *client.Client, s *screen, ids []string) error {
		if revision != 0 && len(ids) > 1 {
			return usagef(cmd, "--if-revision goes with one id")
		}
		if err := checkIfRevision(cmd); err != nil {
			return err
		}
		for _, id := range ids {
			if err := c.Delete(ctx, id, client.IfRevision(revision)); err != nil {
				return fmt.Errorf("%s: %w", id, errors.Join(err, s.flush()))
			}
			if !s.json {
				fmt.Fprintf(s.out, "deleted %s\n", id)
			}
		}
		return nil
	})
	return cmd
}
