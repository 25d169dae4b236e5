package cluster

// Kind is what is wrong with an answer or a row.
type Kind string

// The kinds of what must not happen.
const (
	// Lost is an acknowledged write that is not there.
	Lost Kind = "lost"
	// Doubled is a write that was done more often than it was acknowledged.
	Doubled Kind = "doubled"
	// Stale is an answer older than its level and its label allow.
	Stale Kind = "stale"
	// Wrong is any other answer or row that nothing explains.
	Wrong Kind = "wrong"
)

// Violation is one thing that must not have happened.
type Violation struct {
	Kind Kind
	Text string
}

// String returns kind and text.
func (v Violation) String() string { return string(v.Kind) + ": " + v.Text }
