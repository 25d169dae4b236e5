package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"versiond/client"
)

const (
	// statusTimeout bounds each question of versiond status, so that a dead node does not hold up the screen.
	statusTimeout = 3 * time.Second
	// farBehind is from how many log entries on a member is said to be behind.
	farBehind = 1000
)

const statusHelp = `status asks the nodes of --url, and those that they name, how the cluster does, and prints one screen: who leads, how many
nodes may still fail, each member, and what is wrong with what to do about it. It changes nothing.

Exit codes: 0 all is well, 1 something is wrong, 2 wrong usage, 5 the cluster takes no writes, or nobody answers.`

func newStatusCommand(environ []string) *cobra.Command {
	cmd := &cobra.Command{
		Use: "status", Short: "Say how the cluster does, what is wrong, and what to do", Long: statusHelp,
		Example: "  versiond status\n  versiond status --url http://10.0.0.1:8081,http://10.0.0.2:8081,http://10.0.0.3:8081",
		Args:    asUsage(cobra.NoArgs),
	}
	a := newAsking(cmd, environ)
	timeout := cmd.Flags().Lookup("timeout")
	timeout.DefValue, a.timeout = statusTimeout.String(), statusTimeout
	cmd.RunE = a.run(func(ctx context.Context, c *client.Client, s *screen, _ []string) error {
		r := look(ctx, c)
		if err := errors.Join(s.report(r), s.flush()); err != nil {
			return err
		}
		if code := r.exit(); code != 0 {
			return exitWith(code)
		}
		return nil
	})
	return cmd
}

// report is how a cluster does.
type report struct {
	Writes           bool          `json:"writes"`
	Leader           string        `json:"leader,omitempty"`
	FailureTolerance *int          `json:"failureTolerance,omitempty"`
	Members          []memberState `json:"members"`
	Problems         []trouble     `json:"problems"`

	voters, alive int
	gone          []string
	noQuorum      bool
	// unasked is set when the cluster could not be asked, for want of a token.
	unasked bool
}

// memberState is one member: what the cluster says of it, and what it says itself.
type memberState struct {
	client.Peer
	// URL is where the member was asked, "" where it is not known.
	URL string `json:"url,omitempty"`
	// Ready is what the member says itself, nil when it was not asked or has not answered.
	Ready *bool `json:"ready,omitempty"`
}

// trouble is one thing that is wrong, and what to do about it.
type trouble struct {
	What string `json:"what"`
	Do   string `json:"do"`
}

func (r *report) add(what, do string) { r.Problems = append(r.Problems, trouble{what, do}) }

func (r *report) exit() int {
	switch {
	case !r.Writes && !r.unasked:
		return exitUnavailable
	case len(r.Problems) > 0:
		return exitOther
	}
	return 0
}

// look asks all that can be asked.
func look(ctx context.Context, c *client.Client) *report {
	r := &report{Members: []memberState{}, Problems: []trouble{}}
	nodes := c.Status(ctx)
	answering, err := c.On(whoAnswers(nodes)...)
	if err != nil {
		r.nobodyAnswers(nodes)
		return r
	}
	var peers client.Peers
	var errPeers error
	var wg sync.WaitGroup
	wg.Go(func() { peers, errPeers = answering.Peers(ctx) })
	if leader, err := answering.Leader(ctx); err == nil {
		r.Leader = leader.ID
	}
	wg.Wait()
	for _, p := range peers.Members {
		r.Members = append(r.Members, memberState{Peer: p})
	}
	nodes = append(nodes, r.askOthers(ctx, answering, nodes)...)
	r.judgeCluster(peers, errPeers)
	for _, m := range r.Members {
		r.judgeMember(m)
	}
	for _, n := range nodes {
		r.judgeNode(n)
	}
	r.judgeAddresses(nodes)
	return r
}

func whoAnswers(nodes []client.NodeStatus) (addresses []string) {
	for _, n := range nodes {
		if n.Err == nil {
			addresses = append(addresses, n.Address)
		}
	}
	return addresses
}

func (r *report) nobodyAnswers(nodes []client.NodeStatus) {
	var whys []string
	for _, n := range nodes {
		whys = append(whys, whyNot(n))
	}
	do := "Is versiond running there? See its log. If the nodes are elsewhere, name them with --url or VERSIOND_URL."
	if slices.ContainsFunc(nodes, func(n client.NodeStatus) bool { return isUntrusted(n.Err) }) {
		do = adviceOnTrust
	}
	r.add("no node answers: "+strings.Join(whys, "; "), do)
}

// whyNot returns why it is not known how a node does.
func whyNot(n client.NodeStatus) string {
	var e *client.Error
	if errors.As(n.Err, &e) {
		return e.Detail
	}
	return n.Err.Error()
}

// askOthers asks the members that no address of the client has answered for, where the cluster says that they are.
func (r *report) askOthers(ctx context.Context, c *client.Client, asked []client.NodeStatus) (others []client.NodeStatus) {
	for i := range r.Members {
		m := &r.Members[i]
		n := slices.IndexFunc(asked, func(s client.NodeStatus) bool { return s.Node == m.ID })
		if n >= 0 {
			m.URL, m.Ready = asked[n].Address, &asked[n].Ready
			continue
		}
		if !m.Reachable || m.Port == 0 {
			continue
		}
		one, err := c.On(publicURL(m.Peer, c.Addresses()[0]))
		if err != nil {
			continue
		}
		if answer := one.Status(ctx)[0]; answer.Err == nil && answer.Node == m.ID {
			m.URL, m.Ready = answer.Address, &answer.Ready
			others = append(others, answer)
		}
	}
	return others
}

// publicURL guesses where a member has its public port: on the host of its peer port, with the scheme of the others.
func publicURL(p client.Peer, like string) string {
	host, _, _ := net.SplitHostPort(p.Address)
	scheme := "http"
	if u, err := url.Parse(like); err == nil && u.Scheme == "https" {
		scheme = u.Scheme
	}
	return scheme + "://" + net.JoinHostPort(host, strconv.Itoa(p.Port))
}

// judgeCluster counts the voters, decides whether the cluster takes writes, and reports what is wrong with the whole.
func (r *report) judgeCluster(peers client.Peers, err error) {
	for _, m := range r.Members {
		switch {
		case m.Suffrage != "voter":
		case m.Reachable:
			r.voters, r.alive = r.voters+1, r.alive+1
		default:
			r.voters, r.gone = r.voters+1, append(r.gone, m.ID)
		}
	}
	if err == nil {
		r.FailureTolerance = &peers.FailureTolerance
	}
	r.noQuorum = err == nil && peers.FailureTolerance < 0
	r.Writes = r.Leader != "" && !r.noQuorum
	switch {
	case errors.Is(err, client.ErrUnauthorized), errors.Is(err, client.ErrForbidden):
		r.unasked = true
		r.add("the members cannot be asked for: "+err.Error(), "Give the secret of a token with VERSIOND_TOKEN, VERSIOND_TOKEN_FILE or --token-file.")
	case err != nil:
		r.add("the members cannot be asked for: "+err.Error(), "See the log of the nodes.")
	case r.noQuorum:
		r.add(fmt.Sprintf("there is no quorum: %d of %d voters answer, and %d are needed", r.alive, r.voters, r.voters/2+1),
			fmt.Sprintf("Start %s. What was acknowledged is on their disks, and reads at --level none go on meanwhile. Only when a majority is gone for good: versiond recover --help.", anyOf(r.gone, -peers.FailureTolerance)))
	case r.Leader == "":
		r.add("no leader is known", "A majority of the voters answers, so one is elected within seconds. If not, see whether the nodes reach each other on their peer ports, and their logs.")
	}
}

// anyOf words a choice of n of some nodes.
func anyOf(ids []string, n int) string {
	switch {
	case n >= len(ids):
		return strings.Join(ids, " and ")
	case n == 1:
		return "one of " + strings.Join(ids, ", ")
	}
	return fmt.Sprintf("%d of %s", n, strings.Join(ids, ", "))
}

// judgeMember adds to the report what is wrong with a member, as the cluster sees it.
func (r *report) judgeMember(m memberState) {
	switch {
	case !m.Reachable && !r.noQuorum: // otherwise it was said
		r.add(m.ID+" does not answer at "+m.Address, "Start it; see its log. If it is gone for good: versiond remove "+m.ID+", and versiond join for one in its place.")
	case m.Divergence != "":
		r.add(m.ID+": "+m.Divergence, "It mends itself by what the others have; if this stays, see its log.")
	case m.Ready == nil && len(m.Failing) > 0: // otherwise it says more itself
		for _, check := range m.Failing {
			if !r.follows(check) {
				r.add(m.ID+" is not ready: "+check, adviceOnCheck(check))
			}
		}
	case m.Reachable && m.Lag >= farBehind:
		r.add(fmt.Sprintf("%s is %d log entries behind", m.ID, m.Lag), "It catches up by itself. If it does not get less, its database or its disk is too slow.")
	}
}

// judgeAddresses adds to the report the addresses that are of no use. One that fails may be that of a member that does not
// answer, so as many are left out as there are such members.
func (r *report) judgeAddresses(nodes []client.NodeStatus) {
	silent := 0
	for _, m := range r.Members {
		if !m.Reachable {
			silent++
		}
	}
	for _, n := range nodes {
		if n.Err == nil {
			continue
		}
		if silent--; silent < 0 {
			r.add(whyNot(n), "If no node is there any more, leave the address out of --url or VERSIOND_URL.")
		}
	}
}

// checkAdvice is what to do about a check of /readyz that is not OK, by the name of the check.
var checkAdvice = map[string]string{
	"member":  "Bring it back with versiond join, or start it with the addresses of members in --join.",
	"leader":  "It goes on by itself as soon as a majority of the voters answers and reaches it.",
	"log":     "Its disk takes no writes: make room, or replace it. The node goes on by itself then.",
	"store":   "See that its database runs and lets the node in. The node goes on by itself then.",
	"applier": "It catches up by itself. If it does not, see its log.",
	"voters":  "Start the nodes that are missing, or join them.",
	"content": "It builds its store anew by itself; see its log.",
}

func adviceOnCheck(name string) string { return cmp.Or(checkAdvice[name], "See its log.") }

// judgeNode adds to the report what is wrong with a node, as it sees itself.
func (r *report) judgeNode(n client.NodeStatus) {
	for _, check := range n.Checks {
		do := adviceOnCheck(check.Name)
		switch {
		case check.OK && check.Detail != "":
			r.add(n.Node+" says of its "+check.Name+": "+check.Detail, do)
		case !check.OK && !r.follows(check.Name):
			r.add(strings.TrimSuffix(n.Node+" is not ready: "+check.Name+": "+check.Detail, ": "), do)
		}
	}
}

// follows reports whether a check fails because of what was said of the cluster.
func (r *report) follows(check string) bool {
	return check == "leader" && r.Leader == "" || r.noQuorum && (check == "applier" || check == "voters")
}

// report prints how a cluster does.
func (s *screen) report(r *report) error {
	return s.answer(r, func(w io.Writer) {
		fmt.Fprintln(w, s.headline(r))
		if len(r.Members) > 0 {
			fmt.Fprintln(w)
			row(w, "MEMBER", "ROLE", "STATE", "READY", "APPLIED", "LAG", "PEER ADDRESS", "PUBLIC PORT")
		}
		for _, m := range r.Members {
			s.memberRow(w, m)
		}
		for i, p := range r.Problems {
			fmt.Fprintf(w, "\n%s\n   %s\n", s.paint(bad, fmt.Sprintf("%d. %s", i+1, p.What)), p.Do)
		}
	})
}

func (s *screen) headline(r *report) string {
	leader := cmp.Or(r.Leader, "nobody")
	switch {
	case len(r.Members) == 0 && r.Leader == "":
		return s.paint(bad, "It is not known how the cluster does.")
	case !r.Writes:
		return s.paint(bad, "The cluster takes no writes.") + " Leader: " + leader + "."
	case r.FailureTolerance == nil:
		return s.paint(warning, "The cluster has a leader, "+leader+".")
	case *r.FailureTolerance == 0 && r.voters == 1:
		return s.paint(good, "The cluster takes writes.") + " " + leader + " leads, alone: when it fails, nothing is left. Three nodes bear one failure."
	case *r.FailureTolerance == 0:
		return s.paint(warning, "The cluster takes writes, and must not lose another node.") + " " + leader + " leads."
	}
	return s.paint(good, "The cluster takes writes.") + fmt.Sprintf(" %s leads, and %d of %d voters may fail.", leader, *r.FailureTolerance, r.voters)
}

func (s *screen) memberRow(w io.Writer, m memberState) {
	if !m.Reachable {
		row(w, m.ID, m.Suffrage, "no answer", "-", "-", "-", m.Address, "-")
		return
	}
	ready := "not asked"
	if m.Ready != nil {
		ready = map[bool]string{true: "yes", false: "no"}[*m.Ready]
	} else if len(m.Failing) > 0 {
		ready = "no"
	}
	row(w, m.ID, m.Suffrage, m.State, ready, m.AppliedIndex, m.Lag, m.Address, m.Port)
}
