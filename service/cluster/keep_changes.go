package cluster

import (
	"context"
	"fmt"
	"strings"
	"time"

	"versiond/group"
	"versiond/model"
	"versiond/peer"
)

const (
	// keepChangesInterval is how soon the log says that changes are kept once the last member can read that.
	keepChangesInterval = 500 * time.Millisecond
	// keepChangesTimeout bounds one attempt, during which no member is let in.
	keepChangesTimeout = 5 * time.Second
)

// keepChanges has the log say, while this node leads, that changes are kept from there on, as soon as no member would stop at
// that. It ends when the log says so: that is for ever.
func (c *changes) keepChanges(ctx context.Context) {
	told := ""
	for range group.Every(ctx, keepChangesInterval) {
		switch {
		case c.Node.KeepsChanges():
			return
		case !c.Node.IsLeader():
			told = ""
			c.askForChanges(ctx)
		case c.Node.Serving() && !c.Node.Stuck():
			told = c.tryKeepChanges(ctx, told)
		}
	}
}

// tryKeepChanges does so unless it has to wait for members. For whom is said when that is not what was told last.
func (c *changes) tryKeepChanges(ctx context.Context, told string) string {
	waitsFor := strings.Join(c.unready(ctx), ", ")
	switch {
	case waitsFor == "":
		c.keepChangesNow(ctx)
	case waitsFor != told && ctx.Err() == nil:
		c.Log.Info("the history of records begins once every member runs a release that keeps it", "waitingFor", waitsFor)
	}
	return waitsFor
}

// askForChanges asks the leader whether changes are kept. A node whose store does not answer, or is not filled yet, cannot know,
// and passes on writes all the same, which should say where they come from.
func (c *changes) askForChanges(ctx context.Context) {
	id, address := c.Node.Leader()
	if id == "" {
		return
	}
	status, err := c.Peers.Status(ctx, address)
	if err == nil && status.Node == id && status.KeepsChanges {
		c.Node.NoteKeepsChanges()
	}
}

// keepChangesNow looks at the members again, of whom none comes or goes meanwhile.
func (c *changes) keepChangesNow(ctx context.Context) {
	if c.enter(ctx) != nil {
		return // this node stops
	}
	defer c.turn.Leave()
	ctx, cancel := context.WithTimeout(ctx, keepChangesTimeout)
	defer cancel()
	if len(c.unready(ctx)) > 0 {
		return
	}
	switch err := c.Node.KeepChanges(ctx); {
	case err == nil:
		c.Log.Info("the history of records begins")
	case ctx.Err() == nil && c.Node.IsLeader(): // otherwise the next leader does it
		c.calm.Warn("the log could not be made to say that changes are kept; trying again", "err", err)
	}
}

// unready returns the members that cannot be known to read the entry from which on changes are kept.
func (c *changes) unready(ctx context.Context) (names []string) {
	members := c.Node.Members()
	for i, status := range c.AskMembers(ctx, members) {
		switch {
		case status == nil:
			names = append(names, members[i].ID+", which does not answer")
		case status.Knows < model.CommandKeepChanges:
			names = append(names, members[i].ID+" of release "+status.Release)
		}
	}
	return names
}

// ensureReads refuses a node of a release that would stop at what the log says. It has the last word on a log whose end this
// leader has not applied yet.
func (c *changes) ensureReads(ctx context.Context, id, address string, status peer.Status) error {
	if status.Knows >= model.CommandKeepChanges {
		return nil
	}
	keeps, err := c.Node.LogKeepsChanges(ctx)
	if err != nil || !keeps {
		return err
	}
	return model.Explain(model.ErrWrongNode, fmt.Sprintf("node %q at %s runs release %s, which would stop at what this cluster's log says; start it with the release that the other nodes run", id, address, status.Release))
}
