package group_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"versiond/group"
)

// Who waits for what hangs, as a file on a network that is away does, waits no longer than it wants to, and knows then
// that it has nothing of it.
func TestAsideWaitsForAnEndOrForEnough(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began, what := time.Now(), ""
		assert.True(t, group.Aside(t.Context().Done(), func() { group.Pause(t.Context(), time.Second); what = "done" }))
		assert.Equal(t, "done", what)
		assert.Equal(t, time.Second, time.Since(began))

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		ended := make(chan bool, 2)
		late := func() { group.Pause(t.Context(), time.Hour); ended <- true }
		assert.False(t, group.Aside(ctx.Done(), late))
		assert.Equal(t, 2*time.Second, time.Since(began), "it ends with the context")
		assert.False(t, group.Aside(time.After(time.Second), late))
		assert.Equal(t, 3*time.Second, time.Since(began), "it ends with the timer")
		assert.Empty(t, ended)
		assert.True(t, <-ended, "what was begun goes on")
		assert.True(t, <-ended)
	})
}
