package cli

import (
	"context"
	"fmt"
	"io"
	"os"
)

// openInput opens what a command reads: a file, or stdin where name is -. It ends with ctx, also while nothing comes from a
// terminal or a pipe. What can be rewound still can.
func openInput(ctx context.Context, stdin io.Reader, name string) (in io.Reader, done func(), err error) {
	in, done = stdin, func() {}
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return nil, nil, err
		}
		in, done = file, func() { _ = file.Close() } // it was only read
	}
	if seeker, is := in.(io.Seeker); is {
		if _, err := seeker.Seek(0, io.SeekCurrent); err == nil {
			return in, done, nil
		}
	}
	return until(ctx, in), done, nil
}

// until returns what in has, until ctx ends.
func until(ctx context.Context, in io.Reader) io.Reader {
	r, w := io.Pipe()
	context.AfterFunc(ctx, func() {
		_ = w.CloseWithError(fmt.Errorf("given up before the end of the file: %w", context.Cause(ctx)))
	})
	go func() {
		_, err := io.Copy(w, in)
		_ = w.CloseWithError(err)
	}()
	return r
}
