package config_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/config"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
)

// TestTicketLocation checks where handshakes may bring tickets.
func TestTicketLocation(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name      string
		locations []httpauth.Location
		enabled   bool
		taken     bool
		refused   bool
	}{
		{"default", nil, true, true, false},
		{"default without a denylist", nil, false, false, false},
		{"asked for", []httpauth.Location{"ticket"}, true, true, false},
		{"not asked for", []httpauth.Location{"header"}, true, false, false},
		{"asked for without a denylist", []httpauth.Location{"ticket"}, false, false, true},
		{"asked for among others without a denylist", []httpauth.Location{"header", "query", "ticket"}, false, false, true},
		{"not asked for without a denylist", []httpauth.Location{"header", "query"}, false, false, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			cfg := with(func(c *config.Config) {
				c.Denylist.Disabled = !test.enabled
				c.WebSocket.TicketKey = "once"
				if test.locations != nil {
					c.WebSocket.Locations = test.locations
				}
			})
			if test.refused {
				_, err := config.Open(t.Context(), cfg)
				const want = "config: websocket.locations: ticket needs a denylist, because a ticket must work only once; set denylist.disabled to false, or take ticket out"
				if !errors.Is(err, paseto.ErrConfig) || err.Error() != want {
					t.Errorf("error is %v, want %s", err, want)
				}
				return
			}
			kit := open(t, cfg)
			_, claims := issue(t, kit, "alice")
			ticket, err := kit.Authorizer.IssueTicket(claims, paseto.TicketGrant{})
			if !test.enabled {
				if !errors.Is(err, paseto.ErrNoDenylist) {
					t.Errorf("IssueTicket without a denylist = %v", err)
				}
				ticket.Token = paseto.NewSecret("v4.local.AAAA")
			} else {
				check(t, err)
			}
			for _, want := range []error{nil, paseto.ErrTicketUsed} {
				r := httptest.NewRequest(http.MethodGet, "/ws?once="+ticket.Token.Reveal(), http.NoBody)
				_, err := kit.Guard.Authenticate(r, paseto.Requirement{})
				if !test.taken {
					want = paseto.ErrNoToken
				}
				if !errors.Is(err, want) {
					t.Errorf("Authenticate = %v, want %v", err, want)
				}
			}
		})
	}
}

// TestLifetimesReachTheAuthorizer checks the lifetimes of sessions and tickets
// and the grace, and that zero means what the documentation says.
func TestLifetimesReachTheAuthorizer(t *testing.T) {
	t.Parallel()
	type lifetimes struct{ session, grace, ticket time.Duration }
	for _, test := range []struct {
		name   string
		change func(*config.Config)
		want   lifetimes
	}{
		{"default", func(*config.Config) {}, lifetimes{90 * 24 * time.Hour, 10 * time.Second, 30 * time.Second}},
		{"set", func(c *config.Config) {
			c.Token.SessionTTL, c.Token.RefreshGrace, c.Token.TicketTTL = time.Hour, time.Minute, 5*time.Second
		}, lifetimes{time.Hour, time.Minute, 5 * time.Second}},
		{"none", func(c *config.Config) {
			c.Token.SessionTTL, c.Token.RefreshGrace = paseto.NoExpiry, paseto.NoGrace
		}, lifetimes{paseto.NoExpiry, paseto.NoGrace, 30 * time.Second}},
		{"longer tokens", func(c *config.Config) {
			c.Token.MaxTTL = 365 * 24 * time.Hour
		}, lifetimes{365 * 24 * time.Hour, 10 * time.Second, 30 * time.Second}},
	} {
		cfg := open(t, with(test.change)).Authorizer.Config()
		if got := (lifetimes{cfg.SessionTTL, cfg.RefreshGrace, cfg.TicketTTL}); got != test.want {
			t.Errorf("%s: got %+v, want %+v", test.name, got, test.want)
		}
	}
}

// TestRefreshesPerMinute sets the limit, leaves it alone and lifts it.
func TestRefreshesPerMinute(t *testing.T) {
	t.Parallel()
	if got := open(t, with(func(*config.Config) {})).Authorizer.Config().RefreshesPerMinute; got != 10 {
		t.Errorf("the default is %d, want 10", got)
	}
	for configured, want := range map[int]int{0: 10, 1: 1, 60: 60, paseto.NoLimit: paseto.NoRefreshLimit} {
		kit := open(t, with(func(c *config.Config) { c.Token.RefreshesPerMinute = configured }))
		if got := kit.Authorizer.Config().RefreshesPerMinute; got != want {
			t.Errorf("%d is taken for %d, want %d", configured, got, want)
		}
	}
}

// TestNoGrace presents a refresh token twice.
func TestNoGrace(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		grace time.Duration
		want  error
	}{{paseto.NoGrace, paseto.ErrReused}, {5 * time.Minute, nil}} {
		kit := open(t, with(func(c *config.Config) { c.Token.RefreshGrace = test.grace }))
		pair, err := kit.Authorizer.IssuePair(paseto.Grant{Subject: "alice"})
		check(t, err)
		_, err = kit.Authorizer.Refresh(t.Context(), pair.Refresh.Token.Reveal(), paseto.Requirement{})
		check(t, err)
		if _, err = kit.Authorizer.Refresh(t.Context(), pair.Refresh.Token.Reveal(), paseto.Requirement{}); !errors.Is(err, test.want) {
			t.Errorf("grace %s: the second Refresh = %v, want %v", test.grace, err, test.want)
		}
	}
}
