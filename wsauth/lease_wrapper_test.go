package wsauth_test

import (
	"strings"
	"testing"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/live"
)

// Wrappers of a store: one hides what that offers besides, and one does not.
type (
	hidingStore struct{ denylist.Store }
	clearStore  struct{ denylist.Store }
	sharedStore struct{ denylist.Store }
)

func (c clearStore) Unwrap() denylist.Store { return c.Store }

func (sharedStore) Shared() bool { return true }

// TestLeasesOfTheDenylist are taken by themselves, also out of a wrapper that lets them be
// seen. Where a limit counts in this process alone, and more may be meant, the log says so.
func TestLeasesOfTheDenylist(t *testing.T) {
	t.Parallel()
	const none, hidden, shared = "", "store=wsauth_test.hidingStore", "store=wsauth_test.sharedStore"
	limit, alone := live.Config{PerSubject: 3}, []any{live.WithLeases(nil)}
	for _, test := range []struct {
		name   string
		store  func(l *ledger, memory *denylist.Memory) denylist.Store
		limits live.Config
		opts   []any
		leased bool
		warns  string
	}{
		{"leases", func(l *ledger, _ *denylist.Memory) denylist.Store { return l }, limit, nil, true, none},
		{"wrapped", func(l *ledger, _ *denylist.Memory) denylist.Store { return clearStore{clearStore{l}} }, limit, nil, true, none},
		{"hidden", func(l *ledger, _ *denylist.Memory) denylist.Store { return hidingStore{l} }, limit, nil, false, hidden},
		{"hidden, and nothing is limited", func(l *ledger, _ *denylist.Memory) denylist.Store { return hidingStore{l} }, live.Config{}, nil, false, none},
		{"not wanted", func(l *ledger, _ *denylist.Memory) denylist.Store { return l }, limit, alone, false, none},
		{"hidden, and not wanted", func(l *ledger, _ *denylist.Memory) denylist.Store { return hidingStore{l} }, limit, alone, false, none},
		{"shared without leases", func(_ *ledger, m *denylist.Memory) denylist.Store { return sharedStore{m} }, limit, nil, false, shared},
		{"memory", func(_ *ledger, m *denylist.Memory) denylist.Store { return m }, limit, nil, false, none},
		{"wrapped memory", func(_ *ledger, m *denylist.Memory) denylist.Store { return clearStore{m} }, limit, nil, false, none},
		{"hidden memory", func(_ *ledger, m *denylist.Memory) denylist.Store { return hidingStore{m} }, limit, nil, false, hidden},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			l, memory := newLedger(t), denylist.NewMemory()
			t.Cleanup(func() { _ = memory.Close() })
			auth := newAuthorizer(t, paseto.Config{}, paseto.WithDenylist(test.store(l, memory)))
			logger, log := newLogger()
			guard := newGuard(t, auth, setup{live: test.limits}, append(test.opts, live.WithLogger(logger))...)
			warned := log.String()
			if test.warns == none && warned != "" {
				t.Errorf("the log says %s", warned)
			}
			if !strings.Contains(warned, test.warns) || test.warns != none && !strings.Contains(warned, "counted in this process alone") {
				t.Errorf("the log says %q, want a warning with %q", warned, test.warns)
			}
			srv := listen(t, guard.Require(paseto.Requirement{}, echo))
			checkEcho(t, connect(t, srv, bearer(access(t, auth, paseto.Grant{Subject: "alice"}))), "who counts me?")
			if leased := len(l.leases()) > 0; leased != test.leased {
				t.Errorf("a lease is held: %t, want %t", leased, test.leased)
			}
		})
	}
}
