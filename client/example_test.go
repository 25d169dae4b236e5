package client_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"versiond/client"
)

// exampleClient returns what a program makes once, with the addresses of several nodes.
func exampleClient() *client.Client {
	c, err := client.New(client.Config{Addresses: addresses, Token: token})
	if err != nil {
		log.Panic(err)
	}
	return c
}

func Example() {
	ctx := context.Background()
	c, err := client.New(client.Config{Addresses: addresses, Token: token}) // such as http://10.0.0.1:8081
	if err != nil {
		log.Panic(err)
	}
	defer c.Close()
	made, err := c.Create(ctx, client.Record{ID: "example", VersionNo: "1.0.0", Platform: "linux"})
	if err != nil {
		log.Panic(err)
	}
	made.VersionNo = "1.1.0"
	if _, err := c.Update(ctx, made); err != nil { // only if nobody else has changed it
		log.Panic(err)
	}
	read, err := c.Get(ctx, "example")
	fmt.Println(read.VersionNo, err)
	// Output: 1.1.0 <nil>
}

// Programs go by the code of an error.
func ExampleError() {
	_, err := exampleClient().Get(context.Background(), "nobody")
	switch {
	case errors.Is(err, client.ErrNotFound):
		fmt.Println(err)
	case errors.Is(err, client.ErrUnavailable):
		fmt.Println("try later:", err)
	case errors.Is(err, client.ErrOutcomeUnknown):
		fmt.Println("a write that may have been done:", err)
	}
	// Output: not_found: no record has this id (node1)
}

// Two people change a record at once; nobody's change is lost.
func ExampleClient_Update() {
	ctx, c := context.Background(), exampleClient()
	record, err := c.Create(ctx, client.Record{ID: "shared", VersionNo: "1.0.0", Platform: "linux"})
	if err != nil {
		log.Panic(err)
	}
	mine, theirs := record, record
	theirs.VersionNo = "1.0.1"
	if _, err := c.Update(ctx, theirs); err != nil {
		log.Panic(err)
	}
	mine.MinVersionNo = "1.0.0"
	_, err = c.Update(ctx, mine)
	fmt.Println(errors.Is(err, client.ErrRevisionMismatch))
	// Output: true
}

// An application asks whether it should update.
func ExampleClient_Check() {
	ctx, c := context.Background(), exampleClient()
	if _, err := c.Create(ctx, client.Record{ID: "myapp-ios", VersionNo: "1.10.0", Platform: "ios", MinVersionNo: "1.2.0"}); err != nil {
		log.Panic(err)
	}
	advice, err := c.Check(ctx, client.Question{IDs: []string{"myapp-ios"}}, client.Installed{Version: "1.9.3"})
	if err != nil {
		log.Panic(err)
	}
	fmt.Println(advice.Update, advice.Latest.VersionNo, advice.Supported)
	// Output: optional 1.10.0 true
}

// Many records are written in one request, each on its own.
func ExampleClient_Batch() {
	results, err := exampleClient().Batch(context.Background(), []client.Write{
		client.ToCreate(client.Record{ID: "one", VersionNo: "1", Platform: "linux"}),
		client.ToDelete("nobody"),
	})
	if err != nil {
		log.Panic(err)
	}
	for _, r := range results {
		fmt.Println(r.ID, r.Err == nil)
	}
	// Output:
	// one true
	// nobody false
}

func ExampleClient_List() {
	ctx, c := context.Background(), exampleClient()
	for _, id := range []string{"lib/a", "lib/b"} {
		if _, err := c.Create(ctx, client.Record{ID: id, VersionNo: "1", Platform: "linux"}); err != nil {
			log.Panic(err)
		}
	}
	for record, err := range c.List(ctx, client.Filter{Prefix: "lib/"}) {
		if err != nil {
			log.Panic(err)
		}
		fmt.Println(record.ID)
	}
	// Output:
	// lib/a
	// lib/b
}

// A session reads what it has written, from any node and without asking a quorum.
func ExampleClient_Session() {
	ctx, s := context.Background(), exampleClient().Session()
	if _, err := s.Create(ctx, client.Record{ID: "own", VersionNo: "1", Platform: "linux"}); err != nil {
		log.Panic(err)
	}
	record, err := s.Get(ctx, "own", client.At(client.LevelNone))
	fmt.Println(record.VersionNo, err)
	// Output: 1 <nil>
}

// A program keeps a copy of some records, and is told of each change. It may end and go on later with After.
func ExampleClient_Watch() {
	ctx, c := context.Background(), exampleClient()
	if _, err := c.Create(ctx, client.Record{ID: "watched-1", VersionNo: "1", Platform: "linux"}); err != nil {
		log.Panic(err)
	}
	copied := map[string]string{}
	for event, err := range c.Watch(ctx, client.Question{Prefix: "watched-"}, client.Everything()) {
		switch {
		case err != nil:
			log.Panic(err) // with ErrRevisionGone begin again
		case event.Type == client.EventPut:
			copied[event.Record.ID] = event.Record.VersionNo
		case event.Type == client.EventDelete:
			delete(copied, event.ID)
		}
		if event.Type == client.EventBookmark { // all that there was
			break
		}
	}
	fmt.Println(copied)
	// Output: map[watched-1:1]
}
