package redis

import (
	"fmt"
	"log/slog"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/rueidis"
)

// servers remembers what is known of the servers of a store, by the addresses that
// lead there. One with a fault counts as away: it is not dialled, until a review finds
// that the address leads to a server without.
type servers struct {
	log    *slog.Logger
	review chan struct{} // asks for one soon

	mu    sync.Mutex
	rules *rules // nil while the store opens, when nothing is a fault
	met   map[string]meeting

	// barred is why no call is served. In a cluster it stays nil, where each server has
	// records of its own.
	barred atomic.Pointer[error]
}

// meeting is the last time that a server was asked.
type meeting struct {
	server server
	at     time.Time
	fault  error // nil if it may be used
}

func newServers(log *slog.Logger) *servers {
	return &servers{log: log, review: make(chan struct{}, 1), met: make(map[string]meeting)}
}

// enforce makes faults of what breaks the rules.
func (s *servers) enforce(r rules) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rules = &r
}

// soon asks for a review.
func (s *servers) soon() {
	select {
	case s.review <- struct{}{}:
	default:
	}
}

// fault returns why the server at an address may not be used, as far as is known.
func (s *servers) fault(address string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.met[address].fault
}

// faulty returns the addresses of servers that may not be used.
func (s *servers) faulty() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []string
	for address, m := range s.met {
		if m.fault != nil {
			list = append(list, address)
		}
	}
	return list
}

// stale reports that a server was not asked for too long.
func (s *servers) stale(address string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Since(s.met[address].at) > reviewLimit
}

// forget drops what is known of servers without a fault, but for those at the addresses.
func (s *servers) forget(but map[string]bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for address, m := range s.met {
		if m.fault == nil && !but[address] {
			delete(s.met, address)
		}
	}
}

// broken says why a server may not be used.
func (s *servers) broken(is server) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.rules == nil {
		return nil
	}
	return s.rules.broken(is)
}

// judge takes in what a server said of itself, and returns why it may not be used.
func (s *servers) judge(address string, is server) error {
	fault := s.broken(is)
	if fault != nil {
		fault = fmt.Errorf("the server %s %w", address, fault)
	}
	before, known := s.meet(address, meeting{server: is, at: time.Now(), fault: fault})
	s.tell(address, before, fault)
	if known && before.server.run != "" && before.server.run == is.run && is.evicted > before.server.evicted {
		s.tellLoss(address, is.evicted-before.server.evicted)
	}
	if is.untold != nil && before.server.untold == nil {
		s.log.Warn("denylist: it is not known whether Redis drops records when its memory is full, or when it restarts",
			"address", address, "error", is.untold)
	}
	return fault
}

// meet replaces what is known of a server. Where all records are with one server, and a
// good one is found, those that were tried before do not matter any more.
func (s *servers) meet(address string, now meeting) (before meeting, known bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before, known = s.met[address]
	single := s.rules != nil && s.rules.mode != rueidis.ClientModeCluster
	switch {
	case single && now.fault == nil:
		maps.DeleteFunc(s.met, func(_ string, m meeting) bool { return m.fault != nil })
		s.barred.Store(nil)
	case single:
		s.barred.Store(&now.fault)
	}
	s.met[address] = now
	return before, known
}

// tell logs that a server has got a fault, or another one, or none any more.
func (s *servers) tell(address string, before meeting, fault error) {
	switch {
	case fault == nil && before.fault != nil:
		s.log.Info("denylist: the server of Redis can be used again", "address", address)
	case fault != nil && (before.fault == nil || before.fault.Error() != fault.Error()):
		s.log.Warn("denylist: the server of Redis counts as away", "address", address, "reason", fault)
		s.soon() // and what is open to there will be dropped
	}
}

func (s *servers) tellLoss(address string, keys int64) {
	s.log.Error("denylist: Redis has dropped keys for lack of memory; what was revoked may be valid again: revoke it anew",
		"address", address, "keys", keys)
}
