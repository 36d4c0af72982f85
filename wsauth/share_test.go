package wsauth_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
	"github.com/pasetokit/pasetokit/wsauth"
)

// TestPendingPerAddress keeps one address, or one IPv6 network, from taking all places,
// on by default.
func TestPendingPerAddress(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name         string
		limits       wsauth.Limits
		share        int
		first, other string // whose places are taken, and who has places left
		same         string // who has none left
	}{
		{"default", wsauth.Limits{Pending: 30}, 3, "192.0.2.1", "192.0.2.2", "192.0.2.1"},
		{"default of few", wsauth.Limits{Pending: 5}, 1, "192.0.2.1", "192.0.2.2", "192.0.2.1"},
		{"IPv6", wsauth.Limits{Pending: 30, PendingPerAddress: 2}, 2, "2001:db8::1", "2001:db8:0:1::1", "2001:db8::2"},
		{"share of all", wsauth.Limits{Pending: 3, PendingPerAddress: 3}, 3, "192.0.2.1", "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			auth := newAuthorizer(t, paseto.Config{})
			cfg := setup{Config: wsauth.Config{Limits: test.limits, MessageTimeout: time.Hour}, web: httpauth.Config{TrustedProxies: []string{"127.0.0.1"}}}
			guard, srv := takingMessages(t, auth, cfg, paseto.Requirement{}, echo)
			var taken []*websocket.Conn
			for range test.share {
				taken = append(taken, connect(t, srv, fromAddress(test.first)))
			}
			if test.same != "" {
				if got := checkRefused(t, srv, fromAddress(test.same), wsauth.ErrThrottled).Header.Get("Retry-After"); got != "3600" {
					t.Errorf("Retry-After is %q, want the MessageTimeout", got)
				}
			}
			if test.other != "" {
				ws := connect(t, srv, fromAddress(test.other))
				say(t, ws, authMessage(access(t, auth, anHour)))
				if a := nextAnswer(t, ws); a.Code != "" {
					t.Errorf("another address is told %+v", a)
				}
			}
			if n := guard.Stats().Pending; n != test.share {
				t.Errorf("%d connections are pending, want %d", n, test.share)
			}
			say(t, taken[0], authMessage(access(t, auth, anHour)))
			nextAnswer(t, taken[0])
			until(t, "there is a place", func() bool { return guard.Stats().Pending == test.share-1 })
			connect(t, srv, fromAddress(test.first))
		})
	}
}

// TestOriginsCountApart keeps another site's page from using up the handshakes of its
// visitor, and bounds those that it makes.
func TestOriginsCountApart(t *testing.T) {
	t.Parallel()
	for _, limits := range []wsauth.Limits{
		{HandshakesPerMinute: 3}, {FailuresPerMinute: 3}, {HandshakesPerMinute: 3, FailuresPerMinute: 1},
	} {
		t.Run(fmt.Sprintf("%d handshakes, %d failures", limits.HandshakesPerMinute, limits.FailuresPerMinute), func(t *testing.T) {
			t.Parallel()
			l := newToll(t, limits, paseto.Requirement{})
			foreign := header("Origin", "https://evil.example")
			for n := range 10 {
				if got, want := l.knocks(t, foreign), n >= 3; got != want {
					t.Errorf("handshake %d of another origin is throttled: %t, want %t", n, got, want)
				}
			}
			l.checkThrottled(t, foreign)
			l.checkLooked(t, l.right(t), l.right(t), l.right(t))
			l.clock.Advance(time.Minute)
			l.checkLooked(t, foreign)
		})
	}
}
