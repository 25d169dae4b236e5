package peer_test

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"versiond/model"
)

func problem(code string) string {
	body, _ := json.Marshal(map[string]any{"code": code, "detail": "words for " + code}) // texts always marshal
	return string(body)
}

// sentinels are the errors of package model by name, as the table of codes names them.
var sentinels = map[string]error{
	"ErrAddressInUse": model.ErrAddressInUse, "ErrAlreadyExists": model.ErrAlreadyExists, "ErrIDInUse": model.ErrIDInUse, "ErrIdempotencyKeyReused": model.ErrIdempotencyKeyReused,
	"ErrInternal": model.ErrInternal, "ErrInvalid": model.ErrInvalid, "ErrNoLeader": model.ErrNoLeader, "ErrNoSuchMember": model.ErrNoSuchMember,
	"ErrNodeRemoved": model.ErrNodeRemoved, "ErrNodeUnreachable": model.ErrNodeUnreachable, "ErrNotCaughtUp": model.ErrNotCaughtUp,
	"ErrNotFound": model.ErrNotFound, "ErrNotLeader": model.ErrNotLeader, "ErrOutcomeUnknown": model.ErrOutcomeUnknown,
	"ErrNotDone": model.ErrNotDone, "ErrNotNewer": model.ErrNotNewer, "ErrQuorumAtRisk": model.ErrQuorumAtRisk, "ErrRevisionMismatch": model.ErrRevisionMismatch,
	"ErrRevisionGone":     model.ErrRevisionGone,
	"ErrStoreUnavailable": model.ErrStoreUnavailable, "ErrTimeout": model.ErrTimeout,
	"ErrLogUnavailable":  model.ErrStoreUnavailable, // of another node it says the same: nothing was done, and its disks are why
	"ErrNoSuccessor":     model.ErrNodeUnreachable,  // its own words come with it
	"ErrTooManyRequests": model.ErrTooManyRequests, "ErrUnauthorized": model.ErrUnauthorized, "ErrForbidden": model.ErrForbidden, "ErrWrongNode": model.ErrWrongNode,
}

// deliberate are the codes that come back as another error than they were. A node that knows of no
// leader, or was removed, did nothing: whoever asked it looks for the leader elsewhere. And a node whose
// secret is not taken must not tell its client that the client's token was not.
var deliberate = map[string]error{
	"no_leader": model.ErrNotLeader, "node_removed": model.ErrNotLeader, "unauthorized": model.ErrSecretsDiffer,
}

// neverSent are the codes of domain outcomes, which travel as outcomes and not as problems, and of
// tokens, which the peer port does not know, and of watching, which nobody passes on.
var neverSent = []string{"already_exists", "revision_mismatch", "not_newer", "not_done", "idempotency_key_reused", "forbidden", "revision_gone"}

// An error that changes its meaning on the way between two nodes makes a follower retry what it must
// not, or give up what it should retry. Members and records share a code and are told apart by what
// was asked, which is another test.
func TestEveryCodeComesBackAsTheErrorItWas(t *testing.T) {
	c := mustClient(t)
	table := sentCodes(t)
	require.Greater(t, len(table), 15, "the table of codes was not found")
	for _, each := range table {
		want, known := sentinels[each.sentinel]
		require.True(t, known, "model.%s is new: say here what it means between nodes", each.sentinel)
		if other, ok := deliberate[each.code]; ok {
			want = other
		}
		if slices.Contains(neverSent, each.code) || each.sentinel == "ErrNoSuchMember" {
			continue
		}
		t.Run(each.code, func(t *testing.T) {
			address := mustServe(t, answering(http.StatusServiceUnavailable, "application/problem+json", problem(each.code)))
			requireWrite(t, c, address, want)
			err := readOne(t.Context(), c, address)
			require.ErrorIs(t, err, want)
			require.ErrorContains(t, err, "words for "+each.code, "the other node's words are lost")
		})
	}
}

type codeOf struct{ sentinel, code string }

// sentCodes reads the table of codes of package model.
func sentCodes(t *testing.T) (codes []codeOf) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join("..", "model", "codes.go"), nil, 0)
	require.NoError(t, err)
	ast.Inspect(file, func(n ast.Node) bool {
		if row, ok := n.(*ast.CompositeLit); ok && len(row.Elts) == 2 {
			sentinel, named := row.Elts[0].(*ast.Ident)
			code, said := row.Elts[1].(*ast.BasicLit)
			if named && said {
				codes = append(codes, codeOf{sentinel.Name, strings.Trim(code.Value, `"`)})
			}
		}
		return true
	})
	return codes
}

// The controller says not_found of a member too. A follower that passes the request on must not tell
// its client that no record has the id.
func TestUnknownMemberStaysAMember(t *testing.T) {
	c := mustClient(t)
	address := mustServe(t, answering(http.StatusNotFound, "application/problem+json", problem("not_found")))
	require.ErrorIs(t, c.Remove(t.Context(), address, "node9", false), model.ErrNoSuchMember)
	_, err := c.Transfer(t.Context(), address, "node9")
	require.ErrorIs(t, err, model.ErrNoSuchMember)
	require.ErrorIs(t, readOne(t.Context(), c, address), model.ErrNotFound)
}

// While nodes of two releases run, one may not know the form of what the other sends. It did nothing: whoever asked
// looks for a leader that does, and a client is not told that something broke.
func TestLeaderOfAnotherReleaseDidNothing(t *testing.T) {
	c := mustClient(t)
	address := mustServe(t, answering(http.StatusUnsupportedMediaType, "application/problem+json", problem("unsupported_media_type")))
	require.ErrorIs(t, readOne(t.Context(), c, address), model.ErrNotLeader)
	requireWrite(t, c, address, model.ErrNotLeader)
}

// A client gets one entry for each wrong field, also from a node that only passed its request on.
func TestFieldErrorsComeBackWhole(t *testing.T) {
	body := `{"code":"invalid_request","detail":"x","errors":[{"field":"id","detail":"is bad"},{"field":"addr","detail":"is worse"}]}`
	address := mustServe(t, answering(http.StatusBadRequest, "application/problem+json", body))
	_, err := mustClient(t).Join(t.Context(), address, "node2", "x", true)
	var invalid *model.ValidationError
	require.ErrorAs(t, err, &invalid)
	require.Equal(t, []model.FieldError{{Field: "id", Detail: "is bad"}, {Field: "addr", Detail: "is worse"}}, invalid.Fields)
}

// A code of a later release must not pass for any error that this release acts on.
func TestUnknownCodeIsInternal(t *testing.T) {
	address := mustServe(t, answering(http.StatusTeapot, "application/problem+json", problem("brand_new")))
	_, err := mustClient(t).Status(t.Context(), address)
	require.ErrorIs(t, err, model.ErrInternal)
	require.ErrorContains(t, err, "brand_new")
}

// Something that is no versiond may listen at a mistyped address; it must not pass for a node.
func TestStrangerIsNoNode(t *testing.T) {
	c := mustClient(t)
	address := mustServe(t, answering(http.StatusNotFound, "text/plain", "404 page not found"))
	_, err := c.Status(t.Context(), address)
	require.ErrorIs(t, err, model.ErrWrongNode)
	_, err = c.Status(t.Context(), mustServe(t, answering(http.StatusOK, "text/html", "<html>")))
	require.ErrorIs(t, err, model.ErrCorrupt)
	_, err = c.Status(t.Context(), "not an address")
	require.ErrorIs(t, err, model.ErrNodeUnreachable)
}
