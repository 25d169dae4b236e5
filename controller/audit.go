package controller

import (
	"cmp"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/url"

	"github.com/gin-gonic/gin"

	"versiond/model"
	"versiond/peer"
)

const (
	// subjectKey is under which a request keeps the id that its body names, itemsKey the items of a batch, and
	// resultsKey what became of them.
	subjectKey = "versiond/subject"
	itemsKey   = "versiond/items"
	resultsKey = "versiond/results"
)

// audited is what requests do that change something, by method and route of the public port. To join has a GET too.
var audited = map[string]string{
	"POST /version":        "create",
	"PUT /version/:id":     "update",
	"DELETE /version/:id":  "delete",
	"POST /version/batch":  "batch",
	"POST /restore":        "restore",
	"POST /join/:id/:addr": joining,
	"GET /join/:id/:addr":  joining,
	"DELETE /peer/:id":     "remove",
	"POST /leader/:id":     "lead",
}

// joining is what a node does on the peer port by GET /, which on the public one is the console.
const joining = "join"

// auditClient leaves a line for what a client was to change.
func (f *frame) auditClient(c *gin.Context) {
	if f.audits {
		who := "unknown"
		if f.access.Load().open() {
			who = "anybody"
		}
		audit(c, f.logger, cmp.Or(c.GetString(tokenKey), who), audited[c.Request.Method+" "+c.FullPath()])
	}
}

// auditNode leaves a line for a node that joins by itself, and is of no cluster yet or of another one. What else comes to the peer port from other
// nodes is in the log of the node that its client, or the one that joins, asked. A node that is refused asks for ever, five times
// a second.
func (f *frame) auditNode(c *gin.Context) {
	elsewhere := len(c.Errors) > 0 && errors.Is(c.Errors[0].Err, model.ErrWrongNode)
	if !f.audits || c.Request.Method != http.MethodGet || c.FullPath() != "/" || c.GetHeader(peer.ClusterHeader) != "" && !elsewhere {
		return
	}
	log := f.logger
	if len(c.Errors) > 0 {
		log = f.refused
	}
	audit(c, log, "a node", joining)
}

// audit leaves the lines of a request: one for each record of a batch, one for everything else, none for what changes nothing.
func audit(c *gin.Context, log *slog.Logger, who, what string) {
	if what == "" {
		return
	}
	host, _, _ := net.SplitHostPort(c.Request.RemoteAddr)
	line := log.With("who", who, "from", host, "requestID", requestID(c))
	if items, ok := c.Value(itemsKey).([]batchItem); ok && len(items) > 0 {
		results, _ := c.Value(resultsKey).([]BatchResult)
		for i, item := range items {
			outcome := outcomeOf(c)
			if i < len(results) {
				outcome = cmp.Or(results[i].Code, "done")
			}
			line.Info("audit", "what", cmp.Or(operations[item.command.Type], what), "id", brief(item.command.ID), "outcome", outcome, replayed(c))
		}
		return
	}
	line.Info("audit", "what", what, subject(c), "outcome", outcomeOf(c), replayed(c))
}

var operations = map[model.CommandType]string{model.CommandAdd: "create", model.CommandUpdate: "update", model.CommandDelete: "delete"}

// outcomeOf returns the code that a request was answered with, or done.
func outcomeOf(c *gin.Context) string {
	if len(c.Errors) == 0 {
		return "done"
	}
	t, _ := translate(c.Errors[0].Err)
	return t.code
}

// subject returns what a request is about: a record or a member, and where that is.
func subject(c *gin.Context) slog.Attr {
	id, address := cmp.Or(c.GetString(subjectKey), unescaped(c.Param("id")), c.Query("id")), cmp.Or(unescaped(c.Param("addr")), c.Query("addr"))
	var about []any
	if id != "" {
		about = append(about, slog.String("id", brief(id)))
	}
	if address != "" {
		about = append(about, slog.String("address", brief(address)))
	}
	return slog.Group("", about...) // without a name its attributes stand in the line
}

func replayed(c *gin.Context) slog.Attr {
	if c.Writer.Header()[headerReplayed] == nil {
		return slog.Attr{}
	}
	return slog.Bool("replayed", true)
}

func unescaped(text string) string {
	if plain, err := url.PathUnescape(text); err == nil {
		return plain
	}
	return text
}

// brief keeps what is no id from filling the log.
func brief(id string) string { return id[:min(len(id), model.IDBytesMax)] }
