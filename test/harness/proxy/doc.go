// Package proxy is what a test puts between a node and a server of its, to break what lies between
// them: connections that are refused, cut, silent or slow, and answers that get lost at a chosen place.
package proxy
