package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"regexp"
	"slices"
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
not replaced. docs/operations.md says how nodes use them and how they are changed.`

// newCertCommand makes the command that makes certificates.
func newCertCommand(environ []string) *cobra.Command {
	cmd := &cobra.Command{
		Use: "cert", Short: "Make an authority, and certificates for nodes and clients", Long: certHelp, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() }, // what has no RunE takes any argument
	}
	var dir string
	cmd.PersistentFlags().StringVar(&dir, "dir", "certs", "directory of the files")
	cmd.AddCommand(newCertAuthority(&dir), newCertNode(&dir, environ), newCertClient(&dir))
	return cmd
}

func newCertAuthority(dir *string) *cobra.Command {
	return &cobra.Command{
		Use:   "ca",
		Short: "Make an authority that signs nodes and clients",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			// The name tells it from the one that it may replace.
			pair, err := certs.NewAuthority("versiond authority "+time.Now().UTC().Format(time.DateTime), time.Now())
			if err != nil {
				return err
			}
			return writePair(cmd, pair, *dir, authority)
		},
	}
}

func newCertNode(dir *string, environ []string) *cobra.Command {
	var hosts []string
	cmd := &cobra.Command{
		Use:   "node",
		Short: "Make a certificate for each node of the settings, or for the one that --node names",
		Long: "cert node makes a certificate for each of raft.nodes, or for the one that --node names. It counts for the host of the\n" +
			"node's address, for server.bind, for server.trustedHosts, for this machine (localhost, 127.0.0.1, ::1) and for --host.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := config.Load(cmd.Flags(), environ)
			if err != nil {
				return err
			}
			for _, host := range hosts {
				if !naming.IsHost(host) {
					return fmt.Errorf("--host: %q is neither a host name nor an IP address", host)
				}
			}
			ca, err := readAuthority(*dir)
			if err != nil {
				return err
			}
			for _, node := range cfg.LocalNodes() {
				pair, err := ca.Node(node.ID, certified(append(cfg.HostNames(node), hosts...)), time.Now())
				if err != nil {
					return err
				}
				if err := writePair(cmd, pair, *dir, node.ID); err != nil {
					return err
				}
			}
			return nil
		},
	}
	config.BindFlags(cmd.Flags())
	cmd.Flags().StringArrayVar(&hosts, "host", nil, "name or address by which clients call the node; may be given again")
	return cmd
}

// certified returns the names that a node's certificate counts for: those by which it is called, and those by which it
// is called from its own machine, as probes do.
func certified(names []string) (hosts []string) {
	for _, name := range append(names, "localhost", "127.0.0.1", "::1") {
		name = naming.CanonicalHost(name)
		ip, err := netip.ParseAddr(name)
		if everywhere := err == nil && ip.IsUnspecified(); !everywhere && !slices.Contains(hosts, name) {
			hosts = append(hosts, name)
		}
	}
	return hosts
}

// clientName keeps the name of a client one that is a file's name too.
var clientName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

func newCertClient(dir *string) *cobra.Command {
	return &cobra.Command{
		Use:   "client NAME",
		Short: "Make a certificate for a client, by the name that auth.certificates knows",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			name := args[0]
			if !clientName.MatchString(name) {
				return fmt.Errorf("%q has to be 1 to 64 letters, digits, dots, _ and -, and to begin with a letter or digit", name)
			}
			ca, err := readAuthority(*dir)
			if err != nil {
				return err
			}
			pair, err := ca.Client(name, time.Now())
			if err != nil {
				return err
			}
			return writePair(cmd, pair, *dir, name)
		},
	}
}

func readAuthority(dir string) (*certs.Authority, error) {
	pair, err := certs.Read(dir, authority)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no authority in %s (%w); make one with versiond cert ca, or name its directory with --dir", dir, err)
	}
	if err != nil {
		return nil, err
	}
	ca, err := certs.ParseAuthority(pair)
	if err != nil {
		return nil, fmt.Errorf("the authority in %s: %w", dir, err)
	}
	return ca, nil
}

func writePair(cmd *cobra.Command, pair certs.Pair, dir, name string) error {
	if err := pair.Write(dir, name); err != nil {
		return err
	}
	certificate, key := certs.Paths(dir, name)
	fmt.Fprintf(cmd.OutOrStdout(), "%s\n%s\n", certificate, key)
	return nil
}
