package controller

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/require"

	"versiond/model"
)

// Bodies that are sent to the last byte but one, and then no further, would fill the memory of a node.
// What they hold together must end somewhere, leave room for records, and be given back.
func TestLargeBodiesShareABudget(t *testing.T) {
	budget := &bodyBudget{}
	held := int64(bodiesBytesMax - bodyBytesMax/2)
	budget.taken.Add(held)
	for range 3 { // what is refused must not count for ever either
		require.ErrorIs(t, readWithin(budget, bodyBytesMax), model.ErrTooManyRequests)
	}
	require.NoError(t, readWithin(budget, bodyBytesMax/4))
	budget.taken.Add(bodyBytesMax)
	require.NoError(t, readWithin(budget, bodyBytesFree), "a record is always taken")
	require.Equal(t, held+bodyBytesMax, budget.taken.Load())
}

// readWithin reads a body of so many bytes as a handler does.
func readWithin(budget *bodyBudget, size int) error {
	c, _ := gin.CreateTestContext(httptest.NewRecorder())
	c.Request = httptest.NewRequest("POST", "/version", strings.NewReader(strings.Repeat(" ", size)))
	c.Request.Header.Set("Content-Type", jsonType)
	defer budget.boundBody(c)()
	in := readInput(c)
	in.body(jsonType, bodyBytesMax)
	return in.err()
}

// A backup is not kept in memory: it may be of any size.
func TestStreamsDoNotCount(t *testing.T) {
	budget := &bodyBudget{}
	budget.taken.Add(bodiesBytesMax)
	c, _ := gin.CreateTestContext(httptest.NewRecorder())
	c.Request = httptest.NewRequest("POST", "/restore", strings.NewReader(strings.Repeat(" ", 10*bodyBytesFree)))
	defer budget.boundBody(c)()
	n, err := newTransfer(c).Read(make([]byte, 10*bodyBytesFree))
	require.NoError(t, err)
	require.Equal(t, 10*bodyBytesFree, n)
}
