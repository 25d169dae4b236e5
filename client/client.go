package client

import (
	"cmp"
	"crypto/tls"
	"errors"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"
)

// What a Config that does not say otherwise has.
const (
	retryForDefault       = 30 * time.Second
	attemptTimeoutDefault = 5 * time.Second
)

// Level is how fresh a read has to be.
type Level string

// The levels of a read.
const (
	// LevelLinearizable reads at least everything that was committed when the read arrived. It needs a quorum.
	LevelLinearizable Level = "linearizable"
	// LevelLeader reads what the leader has applied, without asking a quorum whether it still leads.
	LevelLeader Level = "leader"
	// LevelNone reads what the node that is asked has applied, however old. It needs no leader.
	LevelNone Level = "none"
)

// Config describes which cluster a Client asks, and how.
type Config struct {
	// Addresses are public addresses of nodes, such as http://10.0.0.1:8081, the nearest first; a path may follow, where
	// a proxy has one. Without a scheme http is meant.
	Addresses []string
	// Token is the secret of a token, "" on a cluster without tokens. It is sent to every address.
	Token string
	// TLS is how https addresses are checked, for authorities and certificates of one's own. It does not go with
	// HTTPClient.
	TLS *tls.Config
	// HTTPClient sends the requests, nil for one of the Client's own. Redirects are not followed. A Timeout of it would cut
	// off backups and watches: leave it 0.
	HTTPClient *http.Client
	// Level is that of reads which say nothing else, LevelLinearizable when it is empty.
	Level Level
	// RetryFor bounds how long one call is tried, 30 s when it is 0. Below 0 every request is sent once. More than a
	// minute is not wise: a cluster under load remembers keys about that long.
	RetryFor time.Duration
	// AttemptTimeout is how long one node may take before another one is asked, 5 s when it is 0, 60 s at most. What is sent
	// once, such as a Join, may take a node's share of RetryFor, where that is longer.
	AttemptTimeout time.Duration
	// UserAgent names the program in logs of proxies.
	UserAgent string
}

// Client asks a cluster. It may be used by many goroutines.
type Client struct {
	*shared
	addresses []*address
	level     Level
	// seen is the newest log index that a session was shown, nil outside of one.
	seen *atomic.Uint64
}

// shared is what a Client has in common with those that it has made.
type shared struct {
	http           *http.Client
	token          string
	userAgent      string
	retryFor       time.Duration
	attemptTimeout time.Duration
	// preferred is the address that answered last.
	preferred atomic.Pointer[address]
}

// New returns a Client. It asks nothing yet.
func New(cfg Config) (*Client, error) {
	addresses, err := parseAddresses(cfg.Addresses)
	if err != nil {
		return nil, err
	}
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	return &Client{
		addresses: addresses,
		level:     cfg.Level,
		shared: &shared{
			http: httpClient(cfg), token: cfg.Token, userAgent: cmp.Or(cfg.UserAgent, "versiond-client"),
			retryFor: cmp.Or(cfg.RetryFor, retryForDefault), attemptTimeout: cmp.Or(cfg.AttemptTimeout, attemptTimeoutDefault),
		},
	}, nil
}

func (cfg Config) validate() error {
	switch {
	case cfg.TLS != nil && cfg.HTTPClient != nil:
		return errors.New("client: TLS does not go with HTTPClient: set it in the Transport of that")
	case cfg.AttemptTimeout < 0 || cfg.AttemptTimeout > time.Minute:
		return errors.New("client: AttemptTimeout must be above 0 and at most 60s")
	case !validLevel(cfg.Level):
		return errors.New("client: Level must be linearizable, leader or none, not " + strconv.Quote(string(cfg.Level)))
	}
	return nil
}

func validLevel(l Level) bool {
	return l == "" || l == LevelLinearizable || l == LevelLeader || l == LevelNone
}

func httpClient(cfg Config) *http.Client {
	var own http.Client
	if cfg.HTTPClient != nil {
		own = *cfg.HTTPClient
	} else {
		transport := http.DefaultTransport.(*http.Transport).Clone()
		transport.MaxIdleConnsPerHost = 64
		if cfg.TLS != nil {
			transport.TLSClientConfig = cfg.TLS.Clone()
		}
		own.Transport = transport
	}
	// A redirect would take a POST for a GET, and a token to somebody else.
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &own
}

// Session returns a Client that never reads anything older than what it was shown before: what it has written itself,
// and what it has read. It shares c's connections. What other Clients see, also c, does not count.
//
// A session of a cluster that was begun anew, or of another one behind the same addresses, waits in vain for the log
// index that it has seen: begin a new one.
func (c *Client) Session() *Client { return c.SessionAt(0) }

// SessionAt is Session for one that goes on from a log index: Index gave it, in this process or in another one.
func (c *Client) SessionAt(index uint64) *Client {
	session := *c
	session.seen = new(atomic.Uint64)
	session.seen.Store(index)
	return &session
}

// Index returns the newest log index that a session was shown; 0 outside of one.
func (c *Client) Index() uint64 {
	if c.seen == nil {
		return 0
	}
	return c.seen.Load()
}

func (c *Client) see(index uint64) {
	for c.seen != nil {
		if seen := c.seen.Load(); index <= seen || c.seen.CompareAndSwap(seen, index) {
			return
		}
	}
}

// On returns a Client that asks these addresses alone, with everything else as c has it.
func (c *Client) On(addresses ...string) (*Client, error) {
	parsed, err := parseAddresses(addresses)
	if err != nil {
		return nil, err
	}
	some := *c
	some.addresses = parsed
	return &some, nil
}

// Addresses returns the addresses that c asks.
func (c *Client) Addresses() []string {
	all := make([]string, len(c.addresses))
	for i, a := range c.addresses {
		all[i] = a.text
	}
	return all
}

// Close closes connections that are not in use. A Client may be used again after it.
func (c *Client) Close() { c.http.CloseIdleConnections() }
