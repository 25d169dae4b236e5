package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"versiond/controller"
	"versiond/model"
)

// restoreAnswerMax bounds the answer: the address may be mistaken.
const restoreAnswerMax = 64 << 10

// restoreRequest is what versiond restore was told.
type restoreRequest struct {
	url, token string
	foreign    bool
	timeout    time.Duration
}

// newRestoreCommand makes the command that sends a backup to a node.
func newRestoreCommand() *cobra.Command {
	var r restoreRequest
	cmd := &cobra.Command{
		Use:   "restore FILE",
		Short: "Put a backup in the place of all records",
		Long: "restore sends a file that GET /backup has made to any node of a running cluster. The node checks the\n" +
			"whole file before anything changes; then its records take the place of all records on every node.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			restored, err := r.send(ctx, args[0])
			if err == nil {
				fmt.Fprintf(cmd.OutOrStdout(), "restored %d records at index %d\n", restored.Records, restored.Index)
			}
			return err
		},
	}
	cmd.Flags().StringVar(&r.url, "url", "http://127.0.0.1:8081", "public address of a node")
	cmd.Flags().StringVar(&r.token, "token", "", "secret of a token of the role admin")
	cmd.Flags().BoolVar(&r.foreign, "foreign", false, "take a backup of another cluster")
	cmd.Flags().DurationVar(&r.timeout, "timeout", time.Minute, "how long the cluster may take once it has the file, 1h at most")
	return cmd
}

func (r restoreRequest) send(ctx context.Context, path string) (restored model.Restored, err error) {
	file, err := os.Open(path)
	if err != nil {
		return restored, err
	}
	defer func() { _ = file.Close() }() // it was only read
	request, err := r.request(ctx, file)
	if err != nil {
		return restored, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return restored, err
	}
	defer func() { _ = response.Body.Close() }() // everything that matters was read
	answer, err := io.ReadAll(io.LimitReader(response.Body, restoreAnswerMax))
	if err != nil {
		return restored, err
	}
	if response.StatusCode != http.StatusOK {
		return restored, refusal(response, answer)
	}
	return restored, json.Unmarshal(answer, &restored)
}

func (r restoreRequest) request(ctx context.Context, file *os.File) (*http.Request, error) {
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	query := url.Values{"foreign": {strconv.FormatBool(r.foreign)}, "timeout": {r.timeout.String()}}
	target := strings.TrimSuffix(r.url, "/") + "/restore?" + query.Encode()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, target, file)
	if err != nil {
		return nil, err
	}
	request.ContentLength = info.Size()
	request.Header.Set("Content-Type", "application/octet-stream")
	if r.token != "" {
		request.Header.Set("Authorization", "Bearer "+r.token)
	}
	return request, nil
}

// refusal words the answer of a node that did not restore.
func refusal(response *http.Response, answer []byte) error {
	var problem controller.Problem
	if err := json.Unmarshal(answer, &problem); err != nil || problem.Code == "" {
		return errors.New(response.Request.URL.Host + ": answered " + response.Status + ", and not as a node does")
	}
	return fmt.Errorf("%s: %s", problem.Code, problem.Detail)
}
