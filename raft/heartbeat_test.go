package raft

import (
	"testing"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"
)

// A heartbeat of a later leader must change nothing beside the main loop of a node that leads or is in
// another term: entries that are being appended would get the wrong term, and logs would differ for
// good (hashicorp/raft#695). The main loop hears of that leader from its entries.
func TestHeartbeatsChangeNeitherStateNorTerm(t *testing.T) {
	c := mustTrio(t)
	leader := c.nodes[0]
	mustPropose(t, leader, "a")
	r := leader.current().raft
	term := r.CurrentTerm()
	response := make(chan raft.RPCResponse, 1)
	var called int
	count := func(rpc raft.RPC) {
		called++
		rpc.Respond(&raft.AppendEntriesResponse{Success: true}, nil)
	}
	beat := func(term uint64) raft.RPC {
		return raft.RPC{RespChan: response, Command: &raft.AppendEntriesRequest{Term: term}}
	}
	leader.current().transport.Hear(beat(term+7), count)
	answer := (<-response).Response.(*raft.AppendEntriesResponse)
	require.False(t, answer.Success)
	require.Equal(t, term, answer.Term)
	require.Zero(t, called)

	follower := c.nodes[1].current()
	follower.transport.Hear(beat(term+7), count)
	<-response
	require.Zero(t, called, "a later term is for the main loop, which may be writing a vote")
	follower.transport.Hear(beat(follower.raft.CurrentTerm()), count)
	require.Equal(t, 1, called, "a follower hears its leader")
}
