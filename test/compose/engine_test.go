//go:build compose

package compose

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	// ownImage keeps the test's image apart from one that somebody uses.
	ownImage = "versiond-compose-test"

	pullTimeout    = 5 * time.Minute
	buildTimeout   = 10 * time.Minute
	commandTimeout = time.Minute
	// composeTimeout is for the longest: up, which pulls images and builds one.
	composeTimeout = 15 * time.Minute
)

// command is a program to run, with what bounds and surrounds it.
type command struct {
	timeout time.Duration
	dir     string
	env     []string
	stdin   string
	args    []string
}

// run returns what the command printed to its standard output; the error has the rest.
func (c command) run(ctx context.Context) (string, error) {
	if c.timeout == 0 {
		c.timeout = commandTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, c.args[0], c.args[1:]...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = c.dir, c.env, &stdout, &stderr
	cmd.Stdin = strings.NewReader(c.stdin)
	cmd.WaitDelay = 5 * time.Second // a child that keeps the output open must not hold the test
	if err := cmd.Run(); err != nil {
		return stdout.String(), fmt.Errorf("%s: %w\n%s%s", strings.Join(c.args, " "), errors.Join(err, ctx.Err()), stdout.String(), stderr.String())
	}
	return strings.TrimSpace(stdout.String()), nil
}

func docker(ctx context.Context, args ...string) (string, error) {
	return command{args: append([]string{"docker"}, args...)}.run(ctx)
}

// requireEngine fails the test, in words that name what is missing, on a machine where it cannot run.
func requireEngine(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("docker"); err != nil {
		t.Fatal("compose-test needs Docker, and there is no docker on the PATH")
	}
	if _, err := docker(t.Context(), "info"); err != nil {
		t.Fatalf("compose-test needs a Docker engine, and none answers: %v", err)
	}
	version, err := command{args: append(composeWords(), "version")}.run(t.Context())
	if err != nil {
		t.Fatalf("compose-test needs docker-compose, or DOCKER_COMPOSE=\"docker compose\": %v", err)
	}
	t.Log(strings.SplitN(version, "\n", 2)[0])
}

// composeWords returns the words with which Compose is called.
func composeWords() []string {
	if words := strings.Fields(os.Getenv("DOCKER_COMPOSE")); len(words) > 0 {
		return words
	}
	return []string{"docker-compose"}
}

// requireImage returns the image of versiond to test: the one that was asked for, one that Compose will
// build as it does for anybody, or, where the image with Go cannot be had, one around a program that
// this machine's Go built.
func requireImage(t *testing.T) string {
	t.Helper()
	if image := os.Getenv("VERSIOND_IMAGE"); image != "" {
		return image
	}
	golang := os.Getenv("GO_IMAGE")
	if golang == "" {
		golang = "golang:1.26"
	}
	if err := obtain(t.Context(), golang); err != nil {
		t.Logf("NOTE: %s cannot be pulled, so the program is built outside: the first stage of the Dockerfile is NOT tested", golang)
		buildAround(t)
		return ownImage
	}
	_, err := docker(t.Context(), "image", "rm", "--force", ownImage)
	require.NoError(t, err, "an image of an earlier run would be taken for the one to test")
	return ownImage
}

func obtain(ctx context.Context, image string) error {
	if _, err := docker(ctx, "image", "inspect", image); err == nil {
		return nil
	}
	_, err := command{timeout: pullTimeout, args: []string{"docker", "pull", image}}.run(ctx)
	return err
}

// buildAround builds the last stage of the Dockerfile, which takes what it needs from /image of the
// first one, over a directory with the same content.
func buildAround(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	furnish(t, filepath.Join(dir, "image"), authorities)
	program := filepath.Join(dir, "image", "program", "versiond")
	build := command{
		timeout: buildTimeout, env: append(os.Environ(), "CGO_ENABLED=0"),
		args: []string{"go", "build", "-trimpath", "-ldflags=-s -w", "-o", program, "versiond"},
	}
	_, err := build.run(t.Context())
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte(lastStage(t)), 0o644))
	_, err = docker(t.Context(), "build", "--tag", ownImage, dir)
	require.NoError(t, err)
}

func lastStage(t *testing.T) string {
	t.Helper()
	const from = "FROM ${BASE_IMAGE}"
	_, stage, found := strings.Cut(mustRead(t, "Dockerfile"), "\n"+from)
	require.True(t, found, "the Dockerfile has no stage that begins with %s", from)
	return "FROM scratch" + strings.ReplaceAll(stage, "--from=build ", "")
}
