package cli

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"versiond/controller"
)

const (
	// healthTimeout is above the 5s that a node takes at most for its checks, so that the answer is
	// waited for that names the slow one.
	healthTimeout = 8 * time.Second
	// healthBytesMax bounds the answer: the address may be mistaken.
	healthBytesMax = 64 << 10
)

// newHealthCommand makes the probe for images that hold nothing but this program.
func newHealthCommand() *cobra.Command {
	var url, ca string
	cmd := &cobra.Command{
		Use:   "health",
		Short: "Ask a node whether it is ready",
		Long: "health calls a node's /readyz, which needs no token. It exits 0 when the node is ready; otherwise it\n" +
			"exits 1 and names the checks that failed. It is made for the health checks of containers.",
		Args: asUsage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, cancel := context.WithTimeout(cmd.Context(), healthTimeout)
			defer cancel()
			client, err := clientTrusting(ca)
			if err != nil {
				return err
			}
			node, err := probe(ctx, client, url)
			if err == nil {
				fmt.Fprintf(cmd.OutOrStdout(), "%s is ready\n", node)
			}
			return err
		},
	}
	cmd.Flags().StringVar(&url, "url", "http://127.0.0.1:8081/readyz", "readiness check to call")
	cmd.Flags().StringVar(&ca, "ca", "", "authority that signed the node's certificate (FILE), for https; those of the machine when not set")
	return cmd
}

// probe returns the id of the node that answers, and an error when that is not ready or no node answers.
func probe(ctx context.Context, client *http.Client, url string) (node string, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	response, err := client.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	var answer controller.Readiness
	err = json.NewDecoder(io.LimitReader(response.Body, healthBytesMax)).Decode(&answer)
	switch {
	case err != nil || answer.Node == "":
		return "", fmt.Errorf("%s: answered %s, and not as a node does", url, response.Status)
	case response.StatusCode != http.StatusOK || !answer.Ready:
		return "", notReady(answer)
	}
	return answer.Node, nil
}

// clientTrusting returns a client that trusts the authorities in a file, or those of the machine.
func clientTrusting(ca string) (*http.Client, error) {
	trusted, err := authorities("--ca", ca)
	if err != nil || trusted == nil {
		return http.DefaultClient, err
	}
	return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trusted}}}, nil
}

func notReady(answer controller.Readiness) error {
	var failed []string
	for _, check := range answer.Checks {
		if !check.OK {
			failed = append(failed, strings.TrimSuffix(check.Name+": "+check.Detail, ": "))
		}
	}
	if len(failed) == 0 {
		return errors.New(answer.Node + " is not ready")
	}
	return fmt.Errorf("%s is not ready: %s", answer.Node, strings.Join(failed, "; "))
}
