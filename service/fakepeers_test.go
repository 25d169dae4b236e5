package service

import (
	"context"
	"fmt"
	"io"
	"slices"
	"sync"
	"sync/atomic"

	"versiond/model"
	"versiond/peer"
	"versiond/raft/readindex"
)

// fakePeers reaches the other nodes of a test by plain calls. What a test makes up goes before; nobody
// answers at any other address.
type fakePeers struct {
	mu       sync.Mutex
	services map[string]*VersionService
	statuses map[string]peer.Status
	silent   map[string]bool
	calls    []string // "method address", without the questions that repeat by themselves

	// Set before the nodes run.
	onCommands func(ctx context.Context, units []model.Unit) ([]model.UnitOutcome, uint64, error)
	onAdmit    func(peer.Admission) error
	// readFails is how many reads that are passed on fail as they do when the other node dies.
	readFails atomic.Int64
	// readHangs has a read that is passed on wait until its time is over.
	readHangs atomic.Bool
	// loseRemovals is how many removals are done whose answer is lost.
	loseRemovals atomic.Int64
	afterLoss    func() // nil, or what happens then
	// identifying is told of each question to slowAddress, which is not answered before its time is over.
	identifying chan struct{}
}

var (
	_ PeerClient          = (*fakePeers)(nil)
	_ readindex.PeerTerms = (*fakePeers)(nil)
)

func newFakePeers() *fakePeers {
	return &fakePeers{services: map[string]*VersionService{}, statuses: map[string]peer.Status{}, silent: map[string]bool{}, identifying: make(chan struct{}, 1)}
}

func (p *fakePeers) register(address string, s *VersionService) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.services[address] = s
}

// pretend puts a node at an address that answers only questions about its state.
func (p *fakePeers) pretend(address string, status peer.Status) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.statuses[address], p.silent[address] = status, false
}

// honest ends what pretend began.
func (p *fakePeers) honest(address string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.statuses, address)
}

// silence takes a node away, or brings it back.
func (p *fakePeers) silence(address string, silent bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.silent[address] = silent
}

func (p *fakePeers) called() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.calls)
}

func (p *fakePeers) note(method, address string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls = append(p.calls, method+" "+address)
}

func (p *fakePeers) at(address string) (*VersionService, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s, there := p.services[address]
	if !there || p.silent[address] {
		return nil, fmt.Errorf("%w: %s: %w", model.ErrNodeUnreachable, address, model.ErrNoAnswer)
	}
	return s, nil
}

func (p *fakePeers) madeUp(address string) (peer.Status, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	status, ok := p.statuses[address]
	return status, ok && !p.silent[address]
}

func (p *fakePeers) Status(ctx context.Context, address string) (peer.Status, error) {
	if status, ok := p.madeUp(address); ok {
		return status, nil
	}
	s, err := p.at(address)
	if err != nil {
		return peer.Status{}, err
	}
	return s.Status(ctx), nil
}

// slowAddress is where somebody is who does not answer.
const slowAddress = "slow:7001"

func (p *fakePeers) Identify(ctx context.Context, address string) (peer.Status, error) {
	if address == slowAddress {
		p.identifying <- struct{}{}
		<-ctx.Done()
	}
	return p.Status(ctx, address)
}

func (p *fakePeers) Term(_ context.Context, id, address string) (uint64, error) {
	s, err := p.at(address)
	if err != nil {
		return 0, err
	}
	if s.NodeID() != id {
		return 0, model.ErrWrongNode
	}
	return s.Term().Term, nil
}

func (p *fakePeers) ReadIndex(ctx context.Context, address string, level model.Level, ack model.TermAck) (uint64, error) {
	s, err := p.at(address)
	if err != nil {
		return 0, err
	}
	return s.LeaderReadIndex(ctx, level, ack)
}

func (p *fakePeers) Read(ctx context.Context, address string, queries []model.Query, opts model.ReadOptions, ack model.TermAck) ([]model.Found, uint64, error) {
	p.note("read", address)
	if p.readFails.Add(-1) >= 0 {
		return nil, 0, fmt.Errorf("%w: %s: %w", model.ErrNodeUnreachable, address, model.ErrNoAnswer)
	}
	if p.readHangs.Load() {
		<-ctx.Done()
		return nil, 0, fmt.Errorf("%w: %s: %w: %w", model.ErrNodeUnreachable, address, model.ErrNoAnswer, ctx.Err())
	}
	s, err := p.at(address)
	if err != nil {
		return nil, 0, err
	}
	return s.LeaderRead(ctx, queries, opts, ack)
}

func (p *fakePeers) Commands(ctx context.Context, address string, units []model.Unit) ([]model.UnitOutcome, uint64, error) {
	if p.onCommands != nil {
		return p.onCommands(ctx, units)
	}
	s, err := p.at(address)
	if err != nil {
		return nil, 0, fmt.Errorf("%w: %w", model.ErrNotLeader, err)
	}
	return s.ApplyCommands(ctx, units)
}

func (p *fakePeers) Join(ctx context.Context, address, id, nodeAddress string, voter bool) (model.Member, error) {
	p.note("join", address)
	s, err := p.at(address)
	if err != nil {
		return model.Member{}, err
	}
	return s.JoinRaftCluster(ctx, id, nodeAddress, voter)
}

func (p *fakePeers) Remove(ctx context.Context, address, id string, force bool) error {
	s, err := p.at(address)
	if err != nil {
		return err
	}
	err = s.DeleteFatalPeer(ctx, id, force)
	if err == nil && p.loseRemovals.Add(-1) >= 0 {
		if p.afterLoss != nil {
			p.afterLoss()
		}
		err = fmt.Errorf("%w: %s: %w", model.ErrNodeUnreachable, address, model.ErrNoAnswer)
	}
	return err
}

func (p *fakePeers) Transfer(ctx context.Context, address, id string) (model.Leader, error) {
	s, err := p.at(address)
	if err != nil {
		return model.Leader{}, err
	}
	return s.TransferLeadership(ctx, id)
}

func (p *fakePeers) Restore(ctx context.Context, address string, backup io.Reader, _ int64, opts model.RestoreOptions) (restored model.Restored, err error) {
	s, err := p.at(address)
	if err != nil {
		return restored, err
	}
	p.note("Restore", address)
	return s.Restore(ctx, backup, opts)
}

func (p *fakePeers) Admit(ctx context.Context, address string, admission peer.Admission) error {
	if p.onAdmit != nil {
		return p.onAdmit(admission)
	}
	s, err := p.at(address)
	if err != nil {
		return err
	}
	return s.Admit(ctx, admission)
}
