package wsauth_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/pasetokit/pasetokit/internal/testpage"
	"github.com/pasetokit/pasetokit/internal/testtoken"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
	"github.com/pasetokit/pasetokit/paseto/live"
	"github.com/pasetokit/pasetokit/wsauth"
)

// handshakeClosings are handshakes that are refused by a close. All other refusals
// of tokens are rows of TestFailures, which failureClosings borrows.
func handshakeClosings() []closing {
	banned := &paseto.Error{Code: "banned", Message: "You are banned until Monday"}
	both := []httpauth.Location{httpauth.LocationSubprotocol, httpauth.LocationTicket}
	nothing := func(*scene) visit { return visit{} }
	return []closing{
		{name: "no token", cause: paseto.ErrNoToken, bring: nothing},
		{name: "no token, and a message too big", cause: paseto.ErrNoToken, rough: true,
			bring: func(*scene) visit { return visit{Raw: sendsBytes(bigFrame)} }},
		{name: "malformed credential", cause: paseto.ErrMalformedCredential,
			reason: "Bad Sec-WebSocket-Protocol header. Expected value 'paseto.bearer, <PASETO>'",
			bring:  func(*scene) visit { return visit{Protocols: []string{wsauth.Marker}} }},
		{name: "claims of wrong types", cause: paseto.ErrClaims,
			bring: func(*scene) visit {
				return carried(testtoken.Sign(secretKey, `{"type":"access","exp":2524608000}`, "", ""))
			}},
		{name: "expired before", cause: paseto.ErrExpired, bring: func(s *scene) visit { return carried(s.expired()) }},
		{name: "forbidden in own words", cause: banned,
			req: paseto.Requirement{Check: func(context.Context, *paseto.Claims) error { return banned }}},
		{name: "ticket used", cause: paseto.ErrTicketUsed, in: both,
			bring: func(s *scene) visit {
				v := visit{Query: "ticket=" + ticketFor(s.t, s.auth, paseto.Grant{})}
				s.open(v)
				return v
			}},
		{name: "too many", cause: live.ErrTooMany, config: setup{live: live.Config{PerSubject: 1}}, bring: secondOfAlice},
	}
}

// secondOfAlice opens a socket of alice's, and then brings what opens another.
func secondOfAlice(s *scene) visit {
	v := carried(s.alice())
	s.open(v)
	return v
}

// unknowingKeys is a key source that cannot be asked.
type unknowingKeys struct{}

func (unknowingKeys) Keys(context.Context, paseto.Version, paseto.Purpose, string) ([]paseto.Key, error) {
	return nil, errors.New("connection refused")
}

// foreignToken returns a token whose key no Authorizer of these tests has.
func foreignToken(t *testing.T) string {
	t.Helper()
	return access(t, newAuthorizer(t, paseto.Config{Keys: []paseto.Key{paseto.NewLocalKey()}}), paseto.Grant{})
}

// messageClosings are refusals of what comes, or does not come, in the first message.
func messageClosings() []closing {
	first := func(name string, cause error, message func(*scene) string) closing {
		return closing{
			name: "first message, " + name, cause: cause, in: []httpauth.Location{httpauth.LocationMessage},
			bring: func(s *scene) visit { return telling(message(s)) },
		}
	}
	text := func(message string) func(*scene) string { return func(*scene) string { return message } }
	token := func(s *scene) string { return authMessage(s.alice()) }
	with := func(c closing, change func(*closing)) closing {
		change(&c)
		return c
	}
	return []closing{
		with(first("none", wsauth.ErrNoMessage, nil), func(c *closing) {
			c.config.MessageTimeout = soon
			c.bring = func(*scene) visit { return visit{} }
		}),
		first("no JSON", wsauth.ErrMessage, text("hello")),
		first("empty", wsauth.ErrMessage, text("")),
		first("another type", wsauth.ErrMessage, text(`{"type":"chat","token":"v4.local.x"}`)),
		first("another member", wsauth.ErrMessage, text(`{"type":"auth","tokens":"v4.local.x"}`)),
		with(first("binary", wsauth.ErrMessage, nil), func(c *closing) {
			c.rough = true
			c.bring = func(s *scene) visit {
				return visit{Raw: sendsMessage(wsauth.BinaryMessage, []byte(authMessage(s.alice())))}
			}
		}),
		with(first("too big", nil, text(strings.Repeat("x", 16<<10))), func(c *closing) { c.want = tooBigOutcome }),
		first("without a token", paseto.ErrNoToken, text(`{"type":"auth"}`)),
		first("nonsense for a token", paseto.ErrMalformed, text(authMessage("nonsense"))),
		first("expired", paseto.ErrExpired, func(s *scene) string { return authMessage(s.expired()) }),
		with(first("too many", live.ErrTooMany, nil), func(c *closing) {
			c.config.live.PerSubject = 1
			c.bring = func(s *scene) visit {
				s.open(telling(token(s)))
				wait(s.t, s.opened, "the first connection")
				return telling(token(s))
			}
		}),
		with(first("denylist away", paseto.ErrUnavailable, nil), func(c *closing) {
			c.bring = func(s *scene) visit {
				s.store.OnLook(down)
				return telling(token(s))
			}
		}),
		with(first("keys away", paseto.ErrKeysUnavailable, nil), func(c *closing) {
			c.source = unknowingKeys{}
			c.bring = func(s *scene) visit { return telling(authMessage(foreignToken(s.t))) }
		}),
		with(first("check fails the server's way", httpauth.ErrServer, token), func(c *closing) {
			c.req.Check = func(context.Context, *paseto.Claims) error { return httpauth.ErrServer }
		}),
		with(first("check panics", live.ErrPanic, token), func(c *closing) {
			c.req.Check = func(context.Context, *paseto.Claims) error { panic("oh dear") }
		}),
	}
}

// tooBigOutcome is the outcome of a message over the limit, for which there is no reason.
var tooBigOutcome = new(clean(1009, ""))

// silentRefusals are answered over HTTP, of which a page learns nothing.
func silentRefusals() []closing {
	rows := []closing{
		{name: "origin", foreign: true},
		{name: "overload", config: setup{live: live.Config{MaxRights: 1}}, bring: secondOfAlice},
		{name: "throttled", config: setup{Config: wsauth.Config{Limits: wsauth.Limits{HandshakesPerMinute: 1}}}, bring: secondOfAlice},
		{name: "keys away", source: unknowingKeys{}, bring: func(s *scene) visit { return carried(foreignToken(s.t)) }},
		{name: "broken route", req: paseto.Requirement{Fresh: true, Type: paseto.TypeRefresh}},
	}
	for i := range rows {
		rows[i].name, rows[i].want = "over HTTP: "+rows[i].name, &testpage.Unanswered
	}
	return rows
}
