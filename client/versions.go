package client

import (
	"context"
	"net/http"
	"net/url"
	"strings"
)

// Question selects the records that are asked about: those of a list, or those whose ids begin with a prefix, and of these
// the ones of a platform. One of the three is needed.
type Question struct {
	IDs      []string
	Prefix   string
	Platform string
}

func (q Question) into(query url.Values) {
	setIfAny(query, "id", strings.Join(q.IDs, ","))
	setIfAny(query, "prefix", q.Prefix)
	setIfAny(query, "platform", q.Platform)
}

// Latest returns the record with the highest version that is not withdrawn, ErrNotFound when there is none.
func (c *Client) Latest(ctx context.Context, which Question, opts ...ReadOption) (Record, error) {
	query := c.readQuery(opts)
	which.into(query)
	return ask[Record](ctx, c, &request{method: http.MethodGet, path: "/version/latest", query: query})
}

// Installed is what the program has that asks whether it should update.
type Installed struct {
	// Version is the one that it is.
	Version string
	// Client names it, the same each time, such as a UUID; without one it is in no rollout of less than 100 percent.
	Client string
}

// The values of Advice.Update.
const (
	UpdateNone      = "none"
	UpdateOptional  = "optional"
	UpdateMandatory = "mandatory"
	// UpdateDowngrade means that the installed version was withdrawn, and that there is none above it.
	UpdateDowngrade = "downgrade"
)

// Advice is whether a program should update, and to what.
type Advice struct {
	// Update is UpdateNone, UpdateOptional, UpdateMandatory or UpdateDowngrade.
	Update  string  `json:"update"`
	Current string  `json:"current"`
	Latest  *Record `json:"latest,omitempty"`
	// MinVersionNo is the version below which an update to Latest is mandatory, "" when there is none.
	MinVersionNo string `json:"minVersionNo,omitempty"`
	// Supported reports whether the installed version does not come before MinVersionNo.
	Supported bool `json:"supported"`
	// Ahead reports whether Update is none because the installed version comes after Latest.
	Ahead  bool   `json:"ahead"`
	Scheme string `json:"scheme"`
}

// Check asks whether a program should update, ErrNotFound when no record is there to ask about.
func (c *Client) Check(ctx context.Context, which Question, installed Installed, opts ...ReadOption) (Advice, error) {
	query := c.readQuery(opts)
	which.into(query)
	query.Set("current", installed.Version)
	setIfAny(query, "client", installed.Client)
	return ask[Advice](ctx, c, &request{method: http.MethodGet, path: "/version/check", query: query})
}

// Comparison is the order of two version numbers.
type Comparison struct {
	// Order is -1 when a comes before b, 1 when it comes after b, and 0 when neither does.
	Order  int    `json:"order"`
	Scheme string `json:"scheme"`
}

// Compare compares two version numbers by a scheme, natural when it is "".
func (c *Client) Compare(ctx context.Context, a, b, scheme string) (Comparison, error) {
	query := url.Values{"a": {a}, "b": {b}}
	setIfAny(query, "scheme", scheme)
	return ask[Comparison](ctx, c, &request{method: http.MethodGet, path: "/version/compare", query: query})
}
