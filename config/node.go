package config

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Node is one member of the cluster as the settings describe it.
type Node struct {
	// ID is a stable name; it also names the node's directory and database.
	ID string `yaml:"id" example:"node1" usage:"stable name, [a-z0-9][a-z0-9_-]{0,31}; never changed later"`
	// Address is host:port where the other nodes reach this one, for Raft and peer requests alike.
	Address string `yaml:"address" example:"127.0.0.1:7001" usage:"where the other nodes reach it (peer port)"`
	// Port is the public HTTP port.
	Port int `yaml:"port" example:"8081" usage:"its public HTTP port"`
}

// String returns the form that VERSIOND_RAFT_NODES takes: id=host:port/httpPort.
func (n Node) String() string { return fmt.Sprintf("%s=%s/%d", n.ID, n.Address, n.Port) }

var errNodeForm = errors.New("not in the form id=host:port/httpPort")

// parseNode reads what String writes. Whether the parts are right is for Validate to say.
func parseNode(text string) (Node, error) {
	id, rest, hasID := strings.Cut(text, "=")
	address, port, hasPort := strings.Cut(rest, "/")
	if !hasID || !hasPort {
		return Node{}, fmt.Errorf("%q is %w", text, errNodeForm)
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		return Node{}, fmt.Errorf("%q is %w", text, errNodeForm)
	}
	return Node{ID: id, Address: address, Port: number}, nil
}

func parseNodes(text string) ([]Node, error) {
	var nodes []Node
	for _, part := range parseList(text) {
		node, err := parseNode(part)
		if err != nil {
			return nil, err
		}
		nodes = append(nodes, node)
	}
	return nodes, nil
}
