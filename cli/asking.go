package cli

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"versiond/client"
)

const (
	// urlDefault is the first node of a cluster that was started without settings.
	urlDefault = "http://127.0.0.1:8081"
	// timeoutDefault bounds one request, with all its tries.
	timeoutDefault = 10 * time.Second
	attemptMax     = 5 * time.Second

	urlEnv, tokenEnv, tokenFileEnv = "VERSIOND_URL", "VERSIOND_TOKEN", "VERSIOND_TOKEN_FILE"
)

// asking is what every command knows that asks a cluster.
type asking struct {
	environ []string

	urls                            []string
	token, tokenFile, ca, cert, key string
	timeout                         time.Duration
	format                          string
	level                           string
}

// newAsking returns it for a new command, with the flags that all of them have.
func newAsking(cmd *cobra.Command, environ []string) *asking {
	a := &asking{environ: environ}
	flags := cmd.Flags()
	flags.StringSliceVar(&a.urls, "url", nil, "`URL` of a node's public port, or several, tried in turn (default $VERSIOND_URL, else "+urlDefault+")")
	flags.StringVar(&a.token, "token", "", "`SECRET` of a token; others on this machine can see it (default $VERSIOND_TOKEN)")
	flags.StringVar(&a.tokenFile, "token-file", "", "`FILE` with that secret (default $VERSIOND_TOKEN_FILE)")
	flags.StringVar(&a.ca, "ca", "", "`FILE` with the authority that signed the nodes' certificates")
	flags.StringVar(&a.cert, "cert", "", "`FILE` with a certificate to show")
	flags.StringVar(&a.key, "key", "", "`FILE` with the key of that certificate")
	flags.DurationVar(&a.timeout, "timeout", timeoutDefault, "`TIME` that a request may take, with all its tries")
	flags.StringVarP(&a.format, "output", "o", "table", "`FORM` of the output: table or json")
	mustComplete(cmd, "output", "table", "json")
	return a
}

// withLevel adds the flag of commands that read.
func (a *asking) withLevel(cmd *cobra.Command) *asking {
	cmd.Flags().StringVar(&a.level, "level", "", "`LEVEL` of freshness: linearizable (as when not set), leader or none")
	mustComplete(cmd, "level", levels...)
	return a
}

var levels = []string{string(client.LevelLinearizable), string(client.LevelLeader), string(client.LevelNone)}

// mustComplete completes a flag that takes one of a few words.
func mustComplete(cmd *cobra.Command, flag string, words ...string) {
	if err := cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp)); err != nil {
		panic(err) // it has no such flag, or has it twice
	}
}

// client returns the client that a command asks with.
func (a *asking) client(cmd *cobra.Command) (*client.Client, error) {
	if a.format != "table" && a.format != "json" {
		return nil, usagef(cmd, "-o must be table or json, not %q", a.format)
	}
	if a.timeout <= 0 {
		return nil, usagef(cmd, "--timeout must be above 0")
	}
	if !slices.Contains(append(levels, ""), a.level) {
		return nil, usagef(cmd, "--level must be %s, not %q", strings.Join(levels, ", "), a.level)
	}
	token, err := a.secret(cmd)
	if err != nil {
		return nil, err
	}
	secure, err := a.tls()
	if err != nil {
		return nil, err
	}
	c, err := client.New(client.Config{
		Addresses: a.addresses(), Token: token, TLS: secure, Level: client.Level(a.level), RetryFor: a.timeout,
		AttemptTimeout: min(a.timeout, attemptMax), UserAgent: "versiond-cli",
	})
	if err != nil {
		return nil, usagef(cmd, "%s", strings.TrimPrefix(err.Error(), "client: "))
	}
	return c, nil
}

func (a *asking) addresses() []string {
	if len(a.urls) > 0 {
		return a.urls
	}
	var all []string
	for _, url := range strings.Split(cmp.Or(lookup(a.environ, urlEnv), urlDefault), ",") {
		all = append(all, strings.TrimSpace(url))
	}
	return all
}

// secret returns the token of the flags or, where they have none, of the environment.
func (a *asking) secret(cmd *cobra.Command) (string, error) {
	token, file := a.token, a.tokenFile
	if token == "" && file == "" {
		token, file = lookup(a.environ, tokenEnv), lookup(a.environ, tokenFileEnv)
	}
	if token != "" && file != "" {
		return "", usagef(cmd, "a token and a file with one are given; one of them is right")
	}
	if file == "" {
		return token, nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("token file: %w", err)
	}
	if token = strings.TrimSpace(string(text)); token == "" {
		return "", fmt.Errorf("token file: %s is empty", file)
	}
	return token, nil
}

func (a *asking) tls() (*tls.Config, error) {
	if a.ca == "" && a.cert == "" && a.key == "" {
		return nil, nil
	}
	trusted, err := authorities(a.ca)
	if err != nil {
		return nil, err
	}
	cfg := &tls.Config{RootCAs: trusted}
	if a.cert == "" && a.key == "" {
		return cfg, nil
	}
	if a.cert == "" || a.key == "" {
		return nil, errors.New("--cert and --key go together")
	}
	pair, err := tls.LoadX509KeyPair(a.cert, a.key)
	if err != nil {
		return nil, fmt.Errorf("--cert and --key: %w", err)
	}
	cfg.Certificates = []tls.Certificate{pair}
	return cfg, nil
}

// authorities returns those of the file that --ca names; nil, which is those of the machine, where it names none.
func authorities(ca string) (*x509.CertPool, error) {
	if ca == "" {
		return nil, nil
	}
	text, err := os.ReadFile(ca)
	if err != nil {
		return nil, fmt.Errorf("--ca: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("--ca: %s holds no certificate in PEM", ca)
	}
	return pool, nil
}

// lookup returns the last value of a variable, as a shell would.
func lookup(environ []string, name string) (value string) {
	for _, entry := range environ {
		if text, is := strings.CutPrefix(entry, name+"="); is {
			value = text
		}
	}
	return value
}

// run makes what a command does: ask gets the client, and a context that Ctrl-C ends.
func (a *asking) run(ask func(ctx context.Context, c *client.Client, s *screen, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
		defer stop()
		c, err := a.client(cmd)
		if err != nil {
			return err
		}
		defer c.Close()
		s := newScreen(cmd, a.format)
		if err := ask(ctx, c, s, args); err != nil {
			return err
		}
		return s.flush()
	}
}
