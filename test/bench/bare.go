package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"

	"github.com/gin-gonic/gin"

	"versiond/routers"
	"versiond/server"
	"versiond/test/load/measure"
)

// bareCommand is the first argument of the processes that serve a constant; the file of the answer and the address follow.
const bareCommand = "bare"

// answer is what a node answered to a read.
type answer struct {
	Header http.Header `json:"header"`
	Body   []byte      `json:"body"`
}

// startBare starts Gin with a handler that does nothing but answer what a node of this system answered. It returns nil when
// no cell needs it, or no node of ours is measured.
func startBare(ctx context.Context, o options, dir string, s *measure.System) (*measure.System, error) {
	if !o.selects(cell{name: workNone, workers: 64}.title()) || s.Name == measure.Etcd {
		return nil, nil
	}
	a, err := fetch(ctx, "http://"+s.Nodes[0].Address+"/version/"+readID(0)+"?level=none")
	if err != nil {
		return nil, err
	}
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	data, err := json.Marshal(a)
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "answer.json")
	if err := os.WriteFile(file, data, 0o600); err != nil {
		return nil, err
	}
	return measure.StartBare(filepath.Join(dir, "bare"), "Gin "+gin.Version, program, bareCommand, file)
}

// fetch returns an answer without what net/http says of every answer by itself.
func fetch(ctx context.Context, url string) (a answer, err error) {
	res, err := measure.Get(ctx, url)
	if err != nil {
		return a, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return a, fmt.Errorf("%s: %s", url, res.Status)
	}
	res.Header.Del("Date")
	res.Header.Del("Content-Length")
	a.Header = res.Header
	a.Body, err = io.ReadAll(res.Body)
	return a, err
}

// serveBare answers reads from a file until the context ends.
func serveBare(ctx context.Context, file, address string) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var a answer
	if err := json.Unmarshal(data, &a); err != nil {
		return err
	}
	bare := bareServer(a)
	bare.Addr = address
	stop := context.AfterFunc(ctx, func() { _ = bare.Close() })
	defer stop()
	if err := bare.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// bareServer has the settings of a node's, and nothing else of a node.
func bareServer(a answer) *http.Server {
	engine := routers.NewEngine()
	engine.GET("/version/:id", func(c *gin.Context) {
		header := c.Writer.Header()
		for name, values := range a.Header {
			header[name] = values
		}
		c.Status(http.StatusOK)
		_, _ = c.Writer.Write(a.Body) // to a client that is gone, perhaps
	})
	return server.Bounded(engine)
}
