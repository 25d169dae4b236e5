package config

import (
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"strings"

	"versiond/naming"
)

// Secrets travel in headers and in the greeting of a Raft connection, which bounds them above; below
// secretBytesMin they could be guessed.
const (
	secretBytesMin = 16
	secretBytesMax = 512
)

// Auth sets who may send requests to the public port.
type Auth struct {
	// Tokens are what clients have to show. Without any, everybody may do everything, and nodes listen
	// on loopback addresses alone.
	Tokens []Token `yaml:"tokens" example:"ops:admin:a-secret-of-16-bytes-or-more" usage:"tokens that clients need, as name:role:secret,...; without any a node listens on loopback addresses only"`
	// Certificates are those that clients may show instead of a token.
	Certificates []Certificate `yaml:"certificates" example:"ops:admin" usage:"certificates that stand for a token, as name:role,...; they need tls.clientCAFile"`
	// Public is what needs no token; PublicCheck or nothing.
	Public string `yaml:"public" example:"check" usage:"check: anybody may ask for latest, check and compare without a token, pages of any site too"`
	// Disabled lets nodes listen anywhere without tokens and without a cluster secret.
	Disabled bool `yaml:"disabled" example:"false" usage:"let everybody who reaches a node do everything, wherever it listens"`
}

// PublicCheck is the Public of nodes that whole fleets ask for updates.
const PublicCheck = "check"

// Token is what one client, or group of clients, shows to prove who it is.
type Token struct {
	// Name is what the token is called in logs.
	Name string `yaml:"name" example:"ops" usage:"name of the token in the log"`
	// Role is what the client may do.
	Role naming.Role `yaml:"role" example:"admin" usage:"what it may do: read, write (records too) or admin (the cluster too)"`
	// Secret is what the client sends; Load takes it from SecretFile when that is given.
	Secret     Secret `yaml:"secret" example:"a-secret-of-16-bytes-or-more" usage:"what the client sends: 16 to 512 visible ASCII characters"`
	SecretFile string `yaml:"secretFile" example:"/run/secrets/ops" usage:"file that holds the secret instead"`
}

// Cluster is what the nodes of one cluster have in common.
type Cluster struct {
	// Secret is what nodes show each other; Load takes it from SecretFile when that is given.
	Secret     Secret `yaml:"secret" example:"another-secret-of-16-bytes-or-more" usage:"what the nodes show each other, alike on all of them; needed off loopback without cluster.certFile"`
	SecretFile string `yaml:"secretFile" example:"/run/secrets/cluster" usage:"file that holds the secret instead"`
	// CertFile, KeyFile and CAFile are how nodes prove to each other that they are nodes, and encrypt what they say.
	CertFile string `yaml:"certFile" example:"/etc/versiond/node1.pem" usage:"certificate by which the node speaks TLS to the others, for the host of its address; all nodes have one or none" see:"TLS: operations.md#tls"`
	KeyFile  string `yaml:"keyFile" example:"/etc/versiond/node1-key.pem" usage:"key of that certificate"`
	CAFile   string `yaml:"caFile" example:"/etc/versiond/ca.pem" usage:"authorities that sign the certificates of nodes"`
}

// errTokenForm quotes nothing: the text holds a secret, if not in the place where it belongs.
var errTokenForm = errors.New("is not in the form name:role:secret (a secret that holds a comma can only be given in the file)")

func parseTokens(text string) ([]Token, error) {
	var tokens []Token
	for i, part := range parseList(text) {
		fields := strings.SplitN(part, ":", 3)
		if len(fields) != 3 {
			return nil, fmt.Errorf("item %d %w", i+1, errTokenForm)
		}
		tokens = append(tokens, Token{Name: fields[0], Role: naming.Role(fields[1]), Secret: Secret(fields[2])})
	}
	return tokens, nil
}

func (a Auth) check(p *problems) {
	names, secrets := make(map[string]string), make(map[Secret]string)
	for i, t := range a.Tokens {
		key := fmt.Sprintf("auth.tokens[%d].", i)
		t.check(p, key)
		claimUnseen(p, names, t.Name, key+"name")
		claimUnseen(p, secrets, t.Secret, key+"secret")
	}
	a.checkCertificates(p)
	if a.Public != "" && a.Public != PublicCheck {
		p.add("auth.public", "is %q; it has to be %s, or empty", a.Public, PublicCheck)
	}
	if a.Disabled && len(a.Tokens)+len(a.Certificates) > 0 {
		p.add("auth.disabled", "is true, but there are auth.tokens or auth.certificates; either clients need them or they do not")
	}
}

var tokenName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// check quotes neither name nor role: whoever mixes up the order has the secret there.
func (t Token) check(p *problems, key string) {
	if !tokenName.MatchString(t.Name) {
		p.add(key+"name", "has to be 1 to 64 letters, digits, dots, _ and -, and to begin with a letter or digit")
	}
	if !t.Role.Valid() {
		p.add(key+"role", "has to be one of %s, %s, %s", naming.RoleRead, naming.RoleWrite, naming.RoleAdmin)
	}
	t.Secret.check(p, key+"secret")
}

func (c Cluster) check(p *problems, tokens []Token) {
	checkTogether(p, "cluster", [2]string{"certFile", c.CertFile}, [2]string{"keyFile", c.KeyFile}, [2]string{"caFile", c.CAFile})
	if c.Secret == "" {
		return
	}
	c.Secret.check(p, "cluster.secret")
	for i, t := range tokens {
		if t.Secret == c.Secret {
			p.add("cluster.secret", "is that of auth.tokens[%d] too, whose holders could pass for nodes", i)
		}
	}
}

var visible = regexp.MustCompile(`^[!-~]*$`)

func (s Secret) check(p *problems, key string) {
	switch n := len(s); {
	case n < secretBytesMin || n > secretBytesMax:
		p.add(key, "has %d bytes; it has to have %d to %d", n, secretBytesMin, secretBytesMax)
	case !visible.MatchString(s.Reveal()):
		p.add(key, "holds a blank or another character that is not visible ASCII")
	}
}

// claimUnseen is claim for values that must not be shown.
func claimUnseen[V comparable](p *problems, taken map[V]string, value V, key string) {
	if first, found := taken[value]; found {
		p.add(key, "is the same as %s", first)
		return
	}
	taken[value] = key
}

// checkExposed refuses to let others reach a node that does not ask who they are.
func (c Config) checkExposed(p *problems) {
	host, exposed := c.exposedHost()
	if !exposed || c.Auth.Disabled {
		return
	}
	const wayOut = "listen on a loopback address only (server.bind), or set auth.disabled to true if that is meant"
	if len(c.Auth.Tokens)+len(c.Auth.Certificates) == 0 {
		p.add("auth.tokens", "is empty, so that everybody who reaches %s could change everything; give tokens (or auth.certificates), %s", host, wayOut)
	}
	if c.Cluster.Secret == "" && c.Cluster.CertFile == "" {
		p.add("cluster.secret", "is empty, so that everybody who reaches the peer port on %s could pass for a node; give a secret (or cluster.certFile), %s", host, wayOut)
	}
}

// exposedHost returns the first host outside this machine's loopback that a node of this process would
// listen on. Hosts that are wrong in themselves were reported before and are passed over.
func (c Config) exposedHost() (string, bool) {
	for _, n := range c.LocalNodes() {
		host := c.BindHost(n)
		_, err := naming.ParseRoutable(n.Address)
		right := naming.IsHost(host) && (c.Server.Bind != "" || err == nil)
		if right && !isLoopback(host) {
			return host, true
		}
	}
	return "", false
}

// isLoopback trusts no name but localhost: any other may mean another address tomorrow.
func isLoopback(host string) bool {
	host = naming.CanonicalHost(host)
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}
