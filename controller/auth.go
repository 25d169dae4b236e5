package controller

import (
	"crypto/sha256"
	"crypto/subtle"
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

// tokenKey is under which a request keeps the name of its token, for the log.
const tokenKey = "versiond/token"

// tokens are those that a node takes. Of the secrets it keeps hashes alone: they are of one length, so
// that the time a comparison takes tells nothing, and they cannot be printed by accident.
type tokens []knownToken

type knownToken struct {
	name string
	role naming.Role
	hash [sha256.Size]byte
}

func newTokens(given []Token) tokens {
	known := make(tokens, len(given))
	for i, t := range given {
		known[i] = knownToken{name: t.Name, role: t.Role, hash: sha256.Sum256([]byte(t.Secret))}
	}
	return known
}

// find compares with every token, wherever the right one stands.
func (ts tokens) find(secret string) (token knownToken, found bool) {
	hash, at := sha256.Sum256([]byte(secret)), -1
	for i := range ts {
		at = subtle.ConstantTimeSelect(subtle.ConstantTimeCompare(hash[:], ts[i].hash[:]), i, at)
	}
	if at < 0 {
		return knownToken{}, false
	}
	return ts[at], true
}

// Require returns what goes before handlers that need a role. On a node without tokens it lets
// everybody pass who calls the node by its name.
func (v *VersionController) Require(role naming.Role) gin.HandlerFunc {
	if len(v.tokens) == 0 {
		return func(c *gin.Context) { refuseOtherHosts(c, v.hosts) }
	}
	return func(c *gin.Context) {
		if err := v.authorize(c, role); err != nil {
			fail(c, err)
		}
	}
}

// exposedHeaders are those that a script on another site's page may read of an answer.
const exposedHeaders = "ETag, Retry-After, X-Request-ID, X-Versiond-Index, X-Versiond-Node"

// RequireForQuestions returns what goes before handlers that say which version is the newest: Require of the role read, unless
// everybody may ask. A browser then lets any page read the answer; it asks for no more, as nothing here depends on who asks.
func (v *VersionController) RequireForQuestions() gin.HandlerFunc {
	if !v.publicQuestions {
		return v.Require(naming.RoleRead)
	}
	return func(c *gin.Context) {
		c.Header("Access-Control-Allow-Origin", "*")
		c.Header("Access-Control-Expose-Headers", exposedHeaders)
	}
}

func (v *VersionController) authorize(c *gin.Context, role naming.Role) error {
	secret, ok := bearer(c.Request)
	token, known := v.tokens.find(secret)
	if !ok || !known {
		c.Header("WWW-Authenticate", "Bearer")
		return model.ErrUnauthorized
	}
	c.Set(tokenKey, token.name)
	if !token.role.May(role) {
		return model.Explain(model.ErrForbidden, fmt.Sprintf("this needs a token of the role %s; %s has the role %s", role, token.name, token.role))
	}
	return nil
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
