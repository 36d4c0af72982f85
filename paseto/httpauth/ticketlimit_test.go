package httpauth_test

import (
	"cmp"
	"net/http"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
)

// TestTooManyTickets are refused to their owner alone, until it has waited as long as
// it is told to.
func TestTooManyTickets(t *testing.T) {
	t.Parallel()
	pair := func(t *testing.T, s *site) string { t.Helper(); access, _ := s.pair(t); return access }
	access := func(g paseto.Grant) func(*testing.T, *site) string {
		return func(t *testing.T, s *site) string { t.Helper(); return s.access(t, g) }
	}
	session := func(name string) paseto.Grant {
		return paseto.Grant{Subject: "alice", Session: name}
	}
	for _, test := range []struct {
		name        string
		configured  int                            // default 60
		wait        string                         // in seconds, default 2: one and what is rounded up
		first, more func(*testing.T, *site) string // tokens of one owner
		other       func(*testing.T, *site) string
	}{
		{name: "session", first: pair, other: pair},
		{name: "session with a new token", first: access(session("a")), more: access(session("a")), other: access(session("b"))},
		{name: "session named as a subject", first: access(session("bob")), other: access(paseto.Grant{Subject: "bob"})},
		{
			name: "subject", first: access(paseto.Grant{Subject: "alice"}), more: access(paseto.Grant{Subject: "alice"}),
			other: access(paseto.Grant{Subject: "bob"}),
		},
		{name: "token of nobody", first: access(paseto.Grant{}), other: access(paseto.Grant{})},
		{name: "configured", configured: 2, wait: "31", first: pair, other: pair},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, setup{web: httpauth.Config{TicketsPerMinute: test.configured}})
			first := test.first(t, s)
			again := first
			if test.more != nil {
				again = test.more(t, s)
			}
			for range cmp.Or(test.configured, 60) {
				post(t, s.web.Ticket(), bearer(first), object("path", "no path")) // does not count
				ticketOf(t, post(t, s.web.Ticket(), bearer(first)))
			}
			a := post(t, s.web.Ticket(), bearer(again))
			checkProblem(t, a, refusal(http.StatusTooManyRequests, &paseto.Error{Code: "tickets_limited", Message: "Too many tickets"}, ""))
			wait := cmp.Or(test.wait, "2")
			if got := a.header.Get("Retry-After"); got != wait {
				t.Errorf("Retry-After is %q, want %q", got, wait)
			}
			ticketOf(t, post(t, s.web.Ticket(), bearer(test.other(t, s))))
			s.clock.Advance(must(time.ParseDuration(wait + "s")))
			ticketOf(t, post(t, s.web.Ticket(), bearer(again)))
		})
	}
}

// TestTicketsWithoutLimit: with NoLimit there are as many as are asked for.
func TestTicketsWithoutLimit(t *testing.T) {
	t.Parallel()
	s := newSite(t, setup{web: httpauth.Config{TicketsPerMinute: paseto.NoLimit}})
	access, _ := s.pair(t)
	for range 60 + 1 {
		ticketOf(t, post(t, s.web.Ticket(), bearer(access)))
	}
}
