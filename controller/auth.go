package controller

import (
	"crypto/sha256"
	"crypto/subtle"
	"crypto/x509"
	"fmt"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"versiond/model"
	"versiond/naming"
)

// Token is one that the public port takes.
type Token struct {
	// Name stands in the log for the one who sent it.
	Name   string
	Role   naming.Role
	Secret string
}

// tokenKey is under which a request keeps the name of its token or certificate, for the log.
const tokenKey = "versiond/token"

// Access is who may send requests to the public port. Without tokens and certificates everybody may do everything.
type Access struct {
	Tokens       []Token
	Certificates []Certificate
	// Vouches reports whether an authority vouches still for a client that showed one of these chains when it connected; nil
	// leaves it at what was found then.
	Vouches func(chains [][]*x509.Certificate) bool
}

// access is the Access of a node. Of the secrets it keeps hashes alone: they are of one length, so that the time a
// comparison takes tells nothing, and they cannot be printed by accident.
type access struct {
	tokens       []knownToken
	certificates []Certificate
	vouches      func(chains [][]*x509.Certificate) bool
}

type knownToken struct {
	holder
	hash [sha256.Size]byte
}

// holder is whom a request comes from.
type holder struct {
	name string
	role naming.Role
}

func newAccess(given Access) *access {
	known := make([]knownToken, len(given.Tokens))
	for i, t := range given.Tokens {
		known[i] = knownToken{holder{t.Name, t.Role}, sha256.Sum256([]byte(t.Secret))}
	}
	return &access{tokens: known, certificates: given.Certificates, vouches: given.Vouches}
}

// open reports whether everybody may do everything.
func (a *access) open() bool { return len(a.tokens)+len(a.certificates) == 0 }

// find compares with every token, wherever the right one stands.
func (a *access) find(secret string) (h holder, found bool) {
	hash, at := sha256.Sum256([]byte(secret)), -1
	for i := range a.tokens {
		at = subtle.ConstantTimeSelect(subtle.ConstantTimeCompare(hash[:], a.tokens[i].hash[:]), i, at)
	}
	if at < 0 {
		return holder{}, false
	}
	return a.tokens[at].holder, true
}

// Renew has the node go by another access from the next request on, and ends the streams that it would refuse.
func (g *guard) Renew(given Access) {
	renewed := newAccess(given)
	g.access.Store(renewed)
	g.lasting.endRefused(renewed)
}

// RecheckLasting ends the streams of clients for whom no authority vouches any more.
func (g *guard) RecheckLasting() { g.lasting.endRefused(g.access.Load()) }

// Require returns what goes before handlers that need a role. On a node without tokens it lets
// everybody pass who calls the node by its name.
func (g *guard) Require(role naming.Role) gin.HandlerFunc {
	return func(c *gin.Context) {
		known := g.access.Load()
		if known.open() {
			refuseOtherHosts(c, g.hosts)
			return
		}
		if err := known.authorize(c, role); err != nil {
			fail(c, err)
		}
	}
}

// exposedHeaders are those that a script on another site's page may read of an answer.
const exposedHeaders = "ETag, Retry-After, X-Request-ID, X-Versiond-Index, X-Versiond-Node"

// RequireForQuestions returns what goes before handlers that say which version is the newest: Require of the role read, unless
// everybody may ask. A browser then lets any page read the answer; it asks for no more, as nothing here depends on who asks.
func (g *guard) RequireForQuestions() gin.HandlerFunc {
	if !g.publicQuestions {
		return g.Require(naming.RoleRead)
	}
	return func(c *gin.Context) {
		c.Header("Access-Control-Allow-Origin", "*")
		c.Header("Access-Control-Expose-Headers", exposedHeaders)
	}
}

func (a *access) authorize(c *gin.Context, role naming.Role) error {
	who, err := a.allow(c.Request, role)
	switch {
	case who.name != "":
		c.Set(tokenKey, who.name)
	case err != nil:
		c.Header("WWW-Authenticate", "Bearer")
	}
	return err
}

// allow returns whom a request comes from, if that is known, and why it is refused, if it is.
func (a *access) allow(r *http.Request, role naming.Role) (holder, error) {
	who, err := a.holder(r)
	if err == nil && !who.role.May(role) {
		err = model.Explain(model.ErrForbidden, fmt.Sprintf("this needs a token of the role %s; %s has the role %s", role, who.name, who.role))
	}
	return who, err
}

// holder returns whom a request comes from: the holder of the token that it shows, and of the certificate only where it
// shows no token at all.
func (a *access) holder(r *http.Request) (holder, error) {
	secret, ok := bearer(r)
	if h, known := a.find(secret); ok && known {
		return h, nil
	}
	shown := a.certificateOf(r)
	switch {
	case len(a.certificates) == 0 || len(r.Header.Values("Authorization")) > 0:
		return holder{}, model.ErrUnauthorized
	case shown == nil:
		return holder{}, model.Explain(model.ErrUnauthorized, model.ErrUnauthorized.Error()+", or a certificate with a name in auth.certificates")
	}
	if h, known := a.findCertificate(shown); known {
		return h, nil
	}
	return holder{}, model.Explain(model.ErrUnauthorized, fmt.Sprintf("this needs a token, or a certificate with a name in auth.certificates; that of %.128q has none", shown.Subject.CommonName))
}

// bearer reads "Authorization: Bearer <secret>". Two such headers are as good as none: who read which
// of them would depend on what stands between.
func bearer(r *http.Request) (secret string, ok bool) {
	given := r.Header.Values("Authorization")
	if len(given) != 1 {
		return "", false
	}
	scheme, secret, ok := strings.Cut(given[0], " ")
	return strings.TrimLeft(secret, " "), ok && strings.EqualFold(scheme, "Bearer")
}
