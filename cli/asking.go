package cli

import (
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
)

// asking is what every command knows that asks a cluster.
type asking struct {
	environ []string
	// from is what each flag has its value from that the environment stands for.
	from map[string]string

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
	flags.StringVar(&a.ca, "ca", "", "`FILE` with the authority that signed the nodes' certificates (default $VERSIOND_CA_FILE, else those of the machine)")
	flags.StringVar(&a.cert, "cert", "", "`FILE` with a certificate to show (default $VERSIOND_CERT_FILE)")
	flags.StringVar(&a.key, "key", "", "`FILE` with the key of that certificate (default $VERSIOND_KEY_FILE)")
	flags.DurationVar(&a.timeout, "timeout", timeoutDefault, "`TIME` that a request may take, with all its tries")
	flags.StringVarP(&a.format, "output", "o", "table", "`FORM` of the output: table or json (default $VERSIOND_OUTPUT, else table)")
	flags.Lookup("output").DefValue = "" // its usage says it
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
	from, err := readVariables(cmd, a.environ)
	if err != nil {
		return nil, err
	}
	a.from = from
	if a.format != "table" && a.format != "json" {
		return nil, usagef(cmd, "%s must be table or json, not %q", a.place("output"), a.format)
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
	if len(a.urls) == 0 {
		return []string{urlDefault}
	}
	all := make([]string, len(a.urls))
	for i, url := range a.urls {
		all[i] = strings.TrimSpace(url)
	}
	return all
}

// secret returns the token that is shown.
func (a *asking) secret(cmd *cobra.Command) (string, error) {
	token, file := a.token, a.tokenFile
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
	trusted, err := authorities(a.place("ca"), a.ca)
	if err != nil {
		return nil, err
	}
	cfg := &tls.Config{RootCAs: trusted}
	if a.cert == "" && a.key == "" {
		return cfg, nil
	}
	if a.cert == "" || a.key == "" {
		return nil, errors.New("--cert and --key, or VERSIOND_CERT_FILE and VERSIOND_KEY_FILE, go together")
	}
	pair, err := tls.LoadX509KeyPair(a.cert, a.key)
	if err != nil {
		return nil, fmt.Errorf("%s and %s: %w", a.place("cert"), a.place("key"), err)
	}
	cfg.Certificates = []tls.Certificate{pair}
	return cfg, nil
}

// authorities returns those of the file that place names; nil, which is those of the machine, where it names none.
func authorities(place, ca string) (*x509.CertPool, error) {
	if ca == "" {
		return nil, nil
	}
	text, err := os.ReadFile(ca)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", place, err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s: %s holds no certificate in PEM", place, ca)
	}
	return pool, nil
}

// run makes what a command does: ask gets the client, and a context that Ctrl-C ends.
func (a *asking) run(ask func(ctx context.Context, c *client.Client, s *screen, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
		defer stop()
		context.AfterFunc(ctx, stop) // the second one ends what waits for something else
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
