package cluster

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"

	"versiond/peer"
	"versiond/raft"
)

// others is whom this node knows of, and asks.
type others struct {
	Parts
	calm *slog.Logger // for what may repeat
}

func (o *others) id() string { return o.Node.Identity().Node }

// listed returns the node of the configuration with this id, if there is one.
func (o *others) listed(id string) (node Listed, listed bool) {
	i := slices.IndexFunc(o.Listed, func(n Listed) bool { return n.ID == id })
	if i < 0 {
		return Listed{}, false
	}
	return o.Listed[i], true
}

func (o *others) find(id string) (raft.Member, bool) {
	members := o.Node.Members()
	i := slices.IndexFunc(members, func(m raft.Member) bool { return m.ID == id })
	if i < 0 {
		return raft.Member{}, false
	}
	return members[i], true
}

// votersBut returns all voters but one.
func (o *others) votersBut(id string) []raft.Member {
	return slices.DeleteFunc(o.Node.Members(), func(m raft.Member) bool { return !m.Voter || m.ID == id })
}

// AskMembers asks members how they do. Of those that do not answer it returns nil, and of those in whose place another
// node answers.
func (o *others) AskMembers(ctx context.Context, members []raft.Member) []*peer.Status {
	answers := o.askAll(ctx, addressesOf(members))
	for i, a := range answers {
		if a != nil && a.Node != members[i].ID {
			answers[i] = nil
		}
	}
	return answers
}

// askAll asks every address at once; of those that do not answer it returns nil.
func (o *others) askAll(ctx context.Context, addresses []string) []*peer.Status {
	answers := make([]*peer.Status, len(addresses))
	var asking sync.WaitGroup
	for i, address := range addresses {
		asking.Go(func() { answers[i] = o.ask(ctx, address) })
	}
	asking.Wait()
	return answers
}

// ask returns nil when nobody answers at address. This node itself is not asked over the network, where
// it may not be able to reach its own address.
func (o *others) ask(ctx context.Context, address string) *peer.Status {
	if address == o.Node.Address() {
		status := o.Self(ctx)
		return &status
	}
	status, err := o.Peers.Status(ctx, address)
	if err != nil {
		o.Node.NoteDistrust(err)
		o.warnOfPublicPort(err)
		return nil
	}
	return &status
}

func (o *others) warnOfPublicPort(err error) {
	var public *peer.PublicPort
	if errors.As(err, &public) {
		o.calm.Warn("an address that should be a peer port's is not", "address", public.Address, "err", o.publicPort(public))
	}
}

// publicPort returns whose public port was taken for a peer port, and what would be right.
func (o *others) publicPort(e *peer.PublicPort) string {
	if address := o.peerAddress(e.Node); address != "" {
		return fmt.Sprintf("%v; this cluster's %s has the peer address %s", e, e.Node, address)
	}
	return fmt.Sprintf("%v; that is the one in its --address", e)
}

// peerAddress returns the address of a member, or of a node of the configuration, "" where nobody knows it.
func (o *others) peerAddress(id string) string {
	if m, known := o.find(id); known {
		return m.Address
	}
	n, _ := o.listed(id)
	return n.Address
}

// othersAddresses returns where those are that the settings name.
func (o *others) othersAddresses() []string {
	var addresses []string
	for _, n := range o.Listed {
		if n.ID != o.id() {
			addresses = append(addresses, n.Address)
		}
	}
	return append(addresses, o.Join...)
}

// names puts the ids of listed nodes before their addresses.
func (o *others) names(addresses []string) string {
	named := make([]string, len(addresses))
	for i, address := range addresses {
		named[i] = address
		for _, n := range o.Listed {
			if n.Address == address {
				named[i] = n.ID + " at " + address
			}
		}
	}
	return strings.Join(named, ", ")
}

// reason returns why a node did not answer, without what the error says besides: it stands there already.
func reason(err error) string {
	var unanswered *peer.Unanswered
	if errors.As(err, &unanswered) {
		return unanswered.Reason()
	}
	return err.Error()
}

func addressesOf(members []raft.Member) []string {
	addresses := make([]string, len(members))
	for i, m := range members {
		addresses[i] = m.Address
	}
	return addresses
}

// Voters counts the members that have a vote.
func Voters(members []raft.Member) int {
	n := 0
	for _, m := range members {
		if m.Voter {
			n++
		}
	}
	return n
}
