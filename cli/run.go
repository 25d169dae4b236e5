package cli

import (
	"context"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"versiond/config"
	"versiond/group"
	"versiond/logs"
)

// runUntilSignal runs the nodes until SIGTERM or SIGINT. Neither a terminal that is closed nor a log that
// nobody reads ends them. read reads the settings anew, as SIGHUP asks for.
func runUntilSignal(start Start, cfg config.Config, read func() (config.Config, error), stdout, stderr io.Writer) error {
	signal.Ignore(syscall.SIGPIPE) // a write to a pipe without a reader fails, and that is all
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()

	var level slog.LevelVar
	level.Set(logLevel(cfg.Log))
	format := func(w io.Writer) slog.Handler { return logHandler(cfg.Log.Format, &level, w) }
	lines, greetings := logs.NewWriter(stderr, format), logs.NewWriter(stdout, format)
	defer logs.Close(lines, greetings)
	log := slog.New(format(lines))
	var wg sync.WaitGroup
	defer wg.Wait()
	defer stop()
	anew := make(chan config.Config)
	renew := func() (config.Config, error) {
		now, err := read()
		if err != nil {
			return config.Config{}, err
		}
		return cfg.Renewed(now)
	}
	wg.Go(func() { readAnew(ctx, hangups, renew, &level, anew, log) })
	return start(ctx, cfg, anew, log, greetings)
}

// readAnew reads the settings again whenever it is told to, takes the level of the log from them and passes them on.
// What is wrong with them then ends nothing, and a file that does not answer keeps nobody from stopping.
func readAnew(ctx context.Context, told <-chan os.Signal, read func() (config.Config, error), level *slog.LevelVar, anew chan<- config.Config, log *slog.Logger) {
	for {
		select {
		case <-told:
		case <-ctx.Done():
			return
		}
		var cfg config.Config
		var err error
		if !group.Aside(ctx.Done(), func() { cfg, err = read() }) {
			return
		}
		if err != nil {
			log.Warn("SIGHUP: the settings cannot be taken, and stay as they were", "err", err)
			continue
		}
		level.Set(logLevel(cfg.Log))
		select {
		case anew <- cfg:
			log.Info("SIGHUP: certificates, tokens and the log level were read anew; everything else goes on as it was", "level", cfg.Log.Level)
		case <-ctx.Done():
			return
		}
	}
}

func logLevel(cfg config.Log) (level slog.Level) {
	if err := level.UnmarshalText([]byte(cfg.Level)); err != nil {
		return slog.LevelInfo // Validate has let only known levels pass
	}
	return level
}

// logHandler writes lines in the format that the settings name.
func logHandler(format string, level slog.Leveler, w io.Writer) slog.Handler {
	options := &slog.HandlerOptions{Level: level}
	if format == "json" {
		return slog.NewJSONHandler(w, options)
	}
	return slog.NewTextHandler(w, options)
}

func newLogger(cfg config.Log, w io.Writer) *slog.Logger {
	return slog.New(logHandler(cfg.Format, logLevel(cfg), w))
}
