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
	"time"

	"github.com/gin-gonic/gin"

	"versiond/routers"
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
// no cell needs it.
func startBare(ctx context.Context, o options, dir string, s *measure.System) (*measure.System, error) {
	if !o.selects(cell{name: workNone, workers: 64}.title()) {
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
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return a, err
	}
	res, err := http.DefaultClient.Do(req)
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
	server := bareServer(a)
	server.Addr = address
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
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
	return &http.Server{
		Handler: engine, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 65 * time.Second, WriteTimeout: 95 * time.Second,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 32 << 10,
	}
}
