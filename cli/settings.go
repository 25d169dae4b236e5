package cli

import (
	"fmt"
	"log/slog"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"versiond/certs"
	"versiond/config"
)

// newConfigCommand makes the commands that look at settings and run nothing.
func newConfigCommand(environ []string) *cobra.Command {
	cmd := &cobra.Command{
		Use: "config", Short: "Check or print the settings of nodes", Args: noSuchCommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(
		settingsCommand(environ, "check", "Say whether nodes would start with these settings", "check reads flags, environment, file and certificates as a node does, and exits 1 when a node would not start with them.", func(cmd *cobra.Command, cfg config.Config) error {
			if err := ensureCertificates(cfg); err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "the settings are right: %s\n", nodesText(cfg))
			return nil
		}),
		settingsCommand(environ, "print", "Print the settings that nodes would run with", "print shows what flags, environment, file and defaults come to, as YAML. Secrets are hidden.", func(cmd *cobra.Command, cfg config.Config) error {
			encoder := yaml.NewEncoder(cmd.OutOrStdout())
			encoder.SetIndent(2)
			defer encoder.Close()
			return encoder.Encode(cfg)
		}),
	)
	return cmd
}

func settingsCommand(environ []string, use, short, long string, do func(cmd *cobra.Command, cfg config.Config) error) *cobra.Command {
	cmd := &cobra.Command{
		Use: use, Short: short, Long: long, Args: asUsage(cobra.NoArgs),
		Example: "  versiond config " + use + " --config versiond.yaml --node node1",
	}
	config.BindFlags(cmd.Flags())
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		cfg, err := config.Load(cmd.Flags(), environ)
		if err != nil {
			return err
		}
		return do(cmd, cfg)
	}
	return cmd
}

// ensureCertificates returns why nodes would not start with the certificates that the settings name.
func ensureCertificates(cfg config.Config) error {
	silent := slog.New(slog.DiscardHandler)
	public, peer := cfg.TLS, cfg.Cluster
	if _, err := certs.OpenPublic(certs.PublicFiles(public.CertFile, public.KeyFile, public.ClientCAFile), silent); err != nil {
		return err
	}
	for _, node := range cfg.LocalNodes() {
		if _, err := certs.OpenPeer(certs.PeerFiles(peer.CertFile, peer.KeyFile, peer.CAFile), node.Address, silent); err != nil {
			return fmt.Errorf("%s: %w", node.ID, err)
		}
	}
	return nil
}

func nodesText(cfg config.Config) string {
	text := ""
	for i, n := range cfg.LocalNodes() {
		if i > 0 {
			text += ", "
		}
		text += fmt.Sprintf("%s at %s with public port %d", n.ID, n.Address, n.Port)
	}
	return text
}
