package httpauth_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/internal/testclock"
	"github.com/pasetokit/pasetokit/paseto"
)

// TestRecordsOfOneClient counts what the denylist keeps of a client that does a
// hundred times whatever it may.
func TestRecordsOfOneClient(t *testing.T) {
	t.Parallel()
	const times = 100
	for _, test := range []struct {
		name string
		do   func(t *testing.T, s *site, login loggedIn) loggedIn
		want int
	}{
		{"refreshes", func(t *testing.T, s *site, login loggedIn) loggedIn {
			t.Helper()
			pair := tokens(t, post(t, s.web.Refresh(), bearer(login.refresh)))
			return loggedIn{pair.AccessToken.Reveal(), pair.RefreshToken.Reveal()}
		}, 1},
		{"refreshes with the same token", func(t *testing.T, s *site, login loggedIn) loggedIn {
			t.Helper()
			post(t, s.web.Refresh(), bearer(login.refresh))
			return login
		}, 2}, // with the revocation of the session
		{"uses as many tickets as it can get", func(t *testing.T, s *site, login loggedIn) loggedIn {
			t.Helper()
			for range 20 { // more than 60 in a minute
				if a := post(t, s.web.Ticket(), bearer(login.access)); a.status != http.StatusTooManyRequests {
					s.redeemed(t, ticketOf(t, a).Ticket.Reveal(), paseto.Requirement{}, paseto.TicketUse{})
				}
			}
			return login
		}, 60 + 99*10}, // those of a minute, and what each pause gives; the clock of the test lets none expire
		{"logs out with both tokens", func(t *testing.T, s *site, login loggedIn) loggedIn {
			t.Helper()
			post(t, s.web.Logout(), bearer(login.access))
			post(t, s.web.Logout(), bearer(login.refresh))
			return login
		}, 1},
		{"logs out everywhere", func(t *testing.T, s *site, login loggedIn) loggedIn {
			t.Helper()
			post(t, s.web.LogoutEverywhere(), bearer(login.access))
			return login
		}, 1},
		{"logs in and out everywhere", func(t *testing.T, s *site, _ loggedIn) loggedIn {
			t.Helper()
			login := s.login(t, paseto.Grant{Subject: "alice"})
			checkLoggedOut(t, post(t, s.web.LogoutEverywhere(), bearer(login.refresh)))
			return login
		}, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			clk := testclock.New(start)
			store := denylist.NewMemory(denylist.WithClock(clk.Now))
			t.Cleanup(func() { store.Close() })
			s := newSite(t, setup{store: store, clock: clk, auth: paseto.Config{AccessTTL: time.Hour}})
			login := s.login(t, paseto.Grant{Subject: "alice"})
			for range times {
				login = test.do(t, s, login)
				clk.Advance(10 * time.Second)
			}
			if n := store.Len(); n != test.want {
				t.Errorf("the denylist has %d records, want %d", n, test.want)
			}
		})
	}
}
