package cli

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"versiond/client"
	"versiond/raft/datadir"
)

func newBackupCommand(environ []string) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "backup FILE",
		Short: "Save all records in a file",
		Long: "backup saves all records as they are at one moment, while writes go on; - is standard output. FILE is there, or is\n" +
			"another one than before, once all of it has come undamaged. Without a leader, --level none saves what the node has that\n" +
			"answers. It needs a token of the role admin." + exitHelp,
		Example: "  versiond backup versions.backup\n  versiond backup - | ssh elsewhere 'cat > versions.backup'",
		Args:    asUsage(cobra.ExactArgs(1)),
	}
	a := newAsking(cmd, environ).withLevel(cmd)
	cmd.RunE = a.run(func(ctx context.Context, c *client.Client, s *screen, args []string) error {
		p := s.progress()
		counted := &counter{told: func(n int64) { p.say("%s saved", bytesText(n)) }}
		var index uint64
		err := into(args[0], 0o600, s.out, func(w io.Writer) (err error) {
			counted.to = w
			index, err = c.Backup(ctx, counted)
			return err
		})
		p.clear()
		if err == nil {
			fmt.Fprintf(s.err, "saved the records at index %d, %s\n", index, bytesText(counted.bytes))
		}
		return err
	})
	return cmd
}

// into writes a file, which has its name once it is whole; - is out. One that is there keeps its mode, and its place when
// name is a link to it; mode is that of a new one, less the umask. What is no file, such as /dev/null or a pipe, is written
// to and not replaced.
func into(name string, mode fs.FileMode, out io.Writer, write func(w io.Writer) error) error {
	if name == "-" {
		return write(out)
	}
	there, err := os.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return err
	case !there.Mode().IsRegular():
		return intoOpen(name, write)
	default:
		mode = there.Mode().Perm()
		if name, err = filepath.EvalSymlinks(name); err != nil {
			return err
		}
	}
	file, err := os.OpenFile(name+"."+rand.Text()[:8]+".part", os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(file.Name()) }() // it has another name by then when all went well
	err = write(file)
	if err == nil && there != nil {
		err = file.Chmod(mode) // of which the umask may have taken something
	}
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return err
	}
	if err := os.Rename(file.Name(), name); err != nil {
		return err
	}
	return datadir.SyncParent(name)
}

func intoOpen(name string, write func(w io.Writer) error) error {
	file, err := os.OpenFile(name, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	return errors.Join(write(file), file.Close())
}

// counter counts what passes through it.
type counter struct {
	from  io.Reader
	to    io.Writer
	bytes int64
	told  func(n int64)
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.to.Write(p)
	c.bytes += int64(n)
	c.told(c.bytes)
	return n, err
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.from.Read(p)
	c.bytes += int64(n)
	c.told(c.bytes)
	return n, err
}

// Seek begins anew, for another node.
func (c *counter) Seek(offset int64, whence int) (int64, error) {
	seeker, can := c.from.(io.Seeker)
	if !can {
		return 0, errors.ErrUnsupported
	}
	at, err := seeker.Seek(offset, whence)
	c.bytes = at
	return at, err
}

func bytesText(n int64) string {
	switch {
	case n < 10<<10:
		return fmt.Sprintf("%d bytes", n)
	case n < 10<<20:
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return fmt.Sprintf("%d MiB", n>>20)
}

func newRestoreCommand(environ []string) *cobra.Command {
	var opts client.RestoreOptions
	cmd := &cobra.Command{
		Use:   "restore FILE",
		Short: "Put a backup in the place of all records",
		Long: "restore sends a file that versiond backup or GET /backup has made to a node of a running cluster; - is standard input. The\n" +
			"node checks the whole file before anything changes; then its records take the place of ALL records, on every node.\n" +
			"It needs a token of the role admin. For a cluster that has lost its quorum see versiond recover." + exitHelp,
		Example: "  versiond restore versions.backup\n  versiond restore versions.backup --foreign --url http://10.0.0.1:8081",
		Args:    asUsage(cobra.ExactArgs(1)),
	}
	a := newAsking(cmd, environ)
	cmd.Flags().BoolVar(&opts.Foreign, "foreign", false, "take a backup of another cluster")
	timeout := cmd.Flags().Lookup("timeout")
	timeout.DefValue, timeout.Usage = time.Minute.String(), "`TIME` that the cluster may take once it has the file, 1h at most"
	a.timeout = time.Minute
	cmd.RunE = a.run(func(ctx context.Context, c *client.Client, s *screen, args []string) error {
		opts.Timeout = a.timeout
		file, done, err := openInput(ctx, cmd.InOrStdin(), args[0])
		if err != nil {
			return err
		}
		defer done()
		p := s.progress()
		restored, err := c.Restore(ctx, &counter{from: file, told: func(n int64) { p.say("%s sent", bytesText(n)) }}, opts)
		p.clear()
		if err != nil {
			return err
		}
		return s.answer(restored, func(w io.Writer) {
			fmt.Fprintf(w, "restored %d records at index %d\n", restored.Records, restored.Index)
		})
	})
	return cmd
}
