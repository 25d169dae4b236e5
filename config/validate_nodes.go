package config

import (
	"fmt"
	"strings"

	"versiond/naming"
)

// placedNode is a node with the keys of the settings that describe it.
type placedNode struct {
	Node
	idKey, addressKey, portKey string
}

// placedNodes returns every node the settings describe: the listed ones, then the one that is not
// listed, as far as it is described.
func (c Config) placedNodes() []placedNode {
	var nodes []placedNode
	for i, n := range c.Raft.Nodes {
		key := fmt.Sprintf("raft.nodes[%d].", i)
		nodes = append(nodes, placedNode{n, key + "id", key + "address", key + "port"})
	}
	if c.OnlyNode != "" && !c.Listed(c.OnlyNode) {
		n := Node{ID: c.OnlyNode, Address: c.Address, Port: c.Port}
		nodes = append(nodes, placedNode{n, "node", "address", "port"})
	}
	return nodes
}

func (c Config) nodeIDs() []string {
	var ids []string
	for _, n := range c.placedNodes() {
		ids = append(ids, n.ID)
	}
	return ids
}

func (c Config) checkNodes(p *problems) {
	switch {
	case c.OnlyNode == "":
		c.checkAllNodes(p)
	case c.Listed(c.OnlyNode):
		c.checkListedNode(p)
	}
	for _, n := range c.placedNodes() {
		if n.idKey == "node" && (n.Address == "" || n.Port == 0) {
			p.add("node", "%q is none of raft.nodes (%s), so --address and --port are both needed", n.ID, c.listedIDs())
			continue
		}
		n.check(p)
	}
	c.checkJoin(p)
	c.checkClashes(p)
}

// checkJoin refuses a list that names nobody but the node itself, which would wait for itself for ever. A
// listed node has others to ask.
func (c Config) checkJoin(p *problems) {
	others := len(c.Join)
	for i, address := range c.Join {
		if c.OnlyNode != "" && address == c.LocalNodes()[0].Address {
			others--
		}
		if _, err := naming.ParseRoutable(address); err != nil {
			p.add(fmt.Sprintf("join[%d]", i), "%q %v", address, err)
		}
	}
	if len(c.Join) > 0 && others == 0 && !c.Listed(c.OnlyNode) {
		p.add("join", "names this node's own address and no other; name members that let it in")
	}
}

// checkAllNodes refuses what only makes sense for a single node, rather than ignore it.
func (c Config) checkAllNodes(p *problems) {
	const unnamed = "is given for one node, and --node does not say which"
	if len(c.Raft.Nodes) == 0 {
		p.add("raft.nodes", "lists no node, and --node names none")
	}
	if c.Address != "" {
		p.add("address", unnamed)
	}
	if c.Port != 0 {
		p.add("port", unnamed)
	}
	if len(c.Join) > 0 {
		p.add("join", unnamed)
	}
}

// checkListedNode lets --address and --port repeat what raft.nodes says, and nothing else: the other
// nodes go by the list.
func (c Config) checkListedNode(p *problems) {
	listed := c.LocalNodes()[0]
	if c.Address != "" && c.Address != listed.Address {
		p.add("address", "is %q, but raft.nodes has %s at %s", c.Address, listed.ID, listed.Address)
	}
	if c.Port != 0 && c.Port != listed.Port {
		p.add("port", "is %d, but raft.nodes has %s with port %d", c.Port, listed.ID, listed.Port)
	}
}

func (c Config) listedIDs() string {
	var ids []string
	for _, n := range c.Raft.Nodes {
		ids = append(ids, n.ID)
	}
	return strings.Join(ids, ", ")
}

func (n placedNode) check(p *problems) {
	if !naming.ValidNodeID(n.ID) {
		p.add(n.idKey, "%q has to match %s", n.ID, naming.NodeIDForm)
	}
	if _, err := naming.ParseRoutable(n.Address); err != nil {
		p.add(n.addressKey, "%q %v", n.Address, err)
	}
	if !naming.IsPort(n.Port) {
		p.add(n.portKey, "is %d; it has to be from 1 to 65535", n.Port)
	}
}

// checkClashes finds ids that two nodes have and places that two of their ports would listen on.
// Nodes that are wrong in themselves were reported before and are passed over.
func (c Config) checkClashes(p *problems) {
	ids, places := make(map[string]string), make(map[naming.Endpoint]string)
	for _, n := range c.placedNodes() {
		if n.ID != "" {
			claim(p, ids, n.ID, n.idKey)
		}
		peer, err := naming.ParseRoutable(n.Address)
		if err != nil {
			continue
		}
		host := c.sharedHost(peer.Host)
		claim(p, places, naming.Endpoint{Host: host, Port: peer.Port}, n.addressKey)
		if naming.IsPort(n.Port) {
			claim(p, places, naming.Endpoint{Host: host, Port: n.Port}, n.portKey)
		}
	}
}

// sharedHost is where a node with this host listens. When one process runs all nodes, server.bind
// puts them on one host whatever their addresses are.
func (c Config) sharedHost(host string) string {
	if c.OnlyNode == "" && c.Server.Bind != "" {
		return naming.CanonicalHost(c.Server.Bind)
	}
	return host
}

func claim[V comparable](p *problems, taken map[V]string, value V, key string) {
	if first, found := taken[value]; found {
		p.add(key, "takes %v, which %s has already", value, first)
		return
	}
	taken[value] = key
}
