package cli

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"versiond/certs"
	"versiond/config"
	"versiond/naming"
)

// authority is what the files of the authority are called.
const authority = "ca"

const certHelp = `cert makes certificates for a test or a small team, all with ECDSA P-256 keys:

  versiond cert ca              an authority, for ten years: certs/ca.pem and certs/ca-key.pem
  versiond cert node            a certificate for each of raft.nodes, for a year: certs/node1.pem and certs/node1-key.pem
  versiond cert client ops      one for a client that auth.certificates calls ops: certs/ops.pem and certs/ops-key.pem

ca.pem goes to every node and client, and ca-key.pem to none of them: whoever has it makes nodes. Files that are there are
not replaced, but --keep makes anew what this authority has signed when it ends within two weeks or lacks a host.
docs/operations.md says how nodes use them and how they are changed.`

// certCommand is what versiond cert was told.
type certCommand struct {
	// dir is where files are written, and authorityDir where the authority is; dir when it is not set.
	dir, authorityDir string
	// keep leaves files that are of use where they are; otherwise they are in the way.
	keep    bool
	hosts   []string
	environ []string
}

// newCertCommand makes the command that makes certificates.
func newCertCommand(environ []string) *cobra.Command {
	c := &certCommand{environ: environ}
	cmd := &cobra.Command{
		Use: "cert", Short: "Make an authority, and certificates for nodes and clients", Long: certHelp, Args: noSuchCommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() }, // what has no RunE takes any argument
	}
	cmd.PersistentFlags().StringVar(&c.dir, "dir", "certs", "directory of the files")
	cmd.PersistentFlags().BoolVar(&c.keep, "keep", false, "leave what is there, and make what is missing, ends within two weeks or lacks a host; never another authority")
	node, client := c.nodeCommand(), c.clientCommand()
	for _, each := range []*cobra.Command{node, client} {
		each.Flags().StringVar(&c.authorityDir, "ca-dir", "", "directory of the authority, whose certificate is copied to --dir; that of --dir when not set")
	}
	cmd.AddCommand(c.authorityCommand(), node, client)
	return cmd
}

func (c *certCommand) authorityCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "ca",
		Short: "Make an authority that signs nodes and clients",
		Args:  asUsage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if _, err := certs.Read(c.dir, authority); c.keep && err == nil {
				return nil
			}
			// The name tells it from the one that it may replace.
			pair, err := certs.NewAuthority("versiond authority "+time.Now().UTC().Format(time.DateTime), time.Now())
			if err != nil {
				return err
			}
			return c.told(cmd, authority, pair.Write(c.dir, authority))
		},
	}
}

func (c *certCommand) nodeCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "node",
		Short: "Make a certificate for each node of the settings, or for the one that --node names",
		Long: "cert node makes a certificate for each of raft.nodes, or for the one that --node names. It counts for the host of the\n" +
			"node's address, for server.bind, for server.trustedHosts, for this machine (localhost, 127.0.0.1, ::1) and for --host.",
		Args: asUsage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := config.Load(cmd.Flags(), c.environ)
			if err != nil {
				return err
			}
			return c.makeNodes(cmd, cfg)
		},
	}
	config.BindFlags(cmd.Flags())
	cmd.Flags().StringArrayVar(&c.hosts, "host", nil, "name or address by which clients call the node; may be given again")
	return cmd
}

func (c *certCommand) makeNodes(cmd *cobra.Command, cfg config.Config) error {
	for _, host := range c.hosts {
		if !naming.IsHost(host) {
			return usagef(cmd, "--host: %q is neither a host name nor an IP address", host)
		}
	}
	ca, err := c.authority()
	if err != nil {
		return err
	}
	for _, node := range cfg.LocalNodes() {
		hosts := certified(append(cfg.HostNames(node), c.hosts...))
		sign := func(hosts []string) (certs.Pair, error) { return ca.Node(node.ID, hosts, time.Now()) }
		if err := c.issue(cmd, ca, node.ID, hosts, sign); err != nil {
			return err
		}
	}
	return nil
}

// certified returns the names that a node's certificate counts for: those by which it is called, and those by which it
// is called from its own machine, as probes do.
func certified(names []string) (hosts []string) {
	for _, name := range append(names, "localhost", "127.0.0.1", "::1") {
		name = naming.CanonicalHost(name)
		ip, err := netip.ParseAddr(name)
		if everywhere := err == nil && ip.IsUnspecified(); !everywhere {
			hosts = append(hosts, name)
		}
	}
	return distinct(hosts)
}

// distinct returns the first of each.
func distinct(hosts []string) (kept []string) {
	for _, host := range hosts {
		if !slices.Contains(kept, host) {
			kept = append(kept, host)
		}
	}
	return kept
}

// clientName keeps the name of a client one that is a file's name too.
var clientName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

func (c *certCommand) clientCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "client NAME",
		Short: "Make a certificate for a client, by the name that auth.certificates knows",
		Args:  asUsage(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			name := args[0]
			if !clientName.MatchString(name) {
				return usagef(cmd, "%q has to be 1 to 64 letters, digits, dots, _ and -, and to begin with a letter or digit", name)
			}
			ca, err := c.authority()
			if err != nil {
				return err
			}
			return c.issue(cmd, ca, name, nil, func([]string) (certs.Pair, error) { return ca.Client(name, time.Now()) })
		},
	}
}

// authority reads the authority, and puts its certificate beside those that it signs.
func (c *certCommand) authority() (*certs.Authority, error) {
	dir := cmp.Or(c.authorityDir, c.dir)
	pair, err := certs.Read(dir, authority)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no authority in %s (%w); make one with versiond cert ca, or name its directory with --dir or --ca-dir", dir, err)
	}
	if err != nil {
		return nil, err
	}
	ca, err := certs.ParseAuthority(pair)
	if err == nil && dir != c.dir {
		err = pair.WriteCertificate(c.dir, authority)
	}
	if err != nil {
		return nil, fmt.Errorf("the authority in %s: %w", dir, err)
	}
	return ca, nil
}

// issue has a pair signed for some hosts, and writes it. It prints for which ones: whoever forgot raft.nodes or --host sees it
// here, and not when the first client is refused. With --keep a pair that is there stays, unless it ends soon, is not for all
// hosts, or has no key because its writing was broken off; the new one is for the hosts of the old one, too.
func (c *certCommand) issue(cmd *cobra.Command, ca *certs.Authority, name string, hosts []string, sign func(hosts []string) (certs.Pair, error)) error {
	if strings.HasSuffix(name, "-key") || strings.HasSuffix(name, ".new") {
		return usagef(cmd, "%s: the files of a name that ends in -key or .new may be those of another; choose another name", name)
	}
	write := certs.Pair.Write
	if c.keep && name != authority {
		there, err := certs.Read(c.dir, name)
		switch {
		case err != nil && !errors.Is(err, fs.ErrNotExist):
			return err
		case len(there.Key) == 0 || ca.IsDue(there, hosts, time.Now()):
			write = certs.Pair.Renew
		case err == nil:
			return nil
		}
		if hosts != nil {
			hosts = distinct(append(hosts, ca.Hosts(there)...))
		}
	}
	pair, err := sign(hosts)
	if err != nil {
		return err
	}
	err = c.told(cmd, name, write(pair, c.dir, name))
	if err == nil && len(hosts) > 0 {
		fmt.Fprintf(cmd.ErrOrStderr(), "the certificate of %s is for %s\n", name, strings.Join(hosts, ", "))
	}
	return err
}

// told prints which files were written, when nothing is wrong, and returns err.
func (c *certCommand) told(cmd *cobra.Command, name string, err error) error {
	if err == nil {
		certificate, key := certs.Paths(c.dir, name)
		fmt.Fprintf(cmd.OutOrStdout(), "%s\n%s\n", certificate, key)
	}
	return err
}
