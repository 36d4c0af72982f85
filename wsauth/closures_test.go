package wsauth_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/internal/testdenylist"
	"github.com/pasetokit/pasetokit/internal/testpage"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
	"github.com/pasetokit/pasetokit/paseto/live"
	"github.com/pasetokit/pasetokit/wsauth"
)

type (
	outcome = testpage.Outcome
	visit   = testpage.Visit
)

// clean is the outcome of a closing handshake.
func clean(code int, reason string) outcome {
	return outcome{Code: code, Reason: reason, WasClean: true}
}

// closing is one way for a connection to be closed.
type closing struct {
	name   string
	cause  error    // what ends it, and decides how; see closeCode
	reason string   // default: the cause's message
	want   *outcome // where it is not the cause that decides

	tokens  paseto.Config
	config  setup
	leased  bool // the places of a subject are shared with other servers
	source  paseto.KeySource
	req     paseto.Requirement
	in      []httpauth.Location // default: Subprotocol
	opts    []httpauth.RouteOption
	foreign bool // the page's origin is not allowed
	rough   bool // no browser lets a page do that
	cut     bool // the server does not wait for an answer, so that the page may see a reset

	bring func(*scene) visit                // default: alice's token
	serve func(*scene) wsauth.Handler       // default: reads to the end
	live  func(s *scene, conn *wsauth.Conn) // what happens to the connection once it is open
}

// scene is where a closing takes place.
type scene struct {
	t      *testing.T
	page   testpage.Page
	store  *testdenylist.Store
	auth   *paseto.Authorizer
	guard  *wsauth.Guard
	url    string
	opened chan *wsauth.Conn
	ended  chan error    // why connections were refused or closed
	cue    chan struct{} // from the handler to the client
}

func (c closing) stage(t *testing.T, p testpage.Page, codes wsauth.CloseCodes) *scene {
	t.Helper()
	s := &scene{
		t: t, page: p, cue: make(chan struct{}),
		opened: make(chan *wsauth.Conn, 8), ended: make(chan error, 8),
		store: testdenylist.New(t, denylist.WithClock(func() time.Time { return start })),
	}
	s.auth = newAuthorizer(t, c.tokens, paseto.WithDenylist(s.store), paseto.WithKeySource(c.source))
	cfg := c.config
	cfg.CloseCodes, cfg.Locations = codes, c.in
	if c.in == nil {
		cfg.Locations = []httpauth.Location{httpauth.LocationSubprotocol}
	}
	if !c.foreign {
		cfg.AllowedOrigins = []string{p.Origin()}
	}
	options := []any{live.WithObserver(s.observe), live.WithLeases(nil)}
	if c.leased {
		options = append(options, live.WithLeases(s.store))
	}
	s.guard = newGuard(t, s.auth, cfg, options...)
	serve := wsauth.Handler(func(ctx context.Context, conn *wsauth.Conn) { _ = readUntilError(ctx, conn) })
	if c.serve != nil {
		serve = c.serve(s)
	}
	srv := httptest.NewUnstartedServer(s.guard.Require(c.req, serve, c.opts...))
	srv.Config.MaxHeaderBytes = 4 << 20 // so that a huge token gets as far as the guard
	srv.Start()
	t.Cleanup(srv.Close)
	s.url = "ws" + strings.TrimPrefix(srv.URL, "http") + "/ws"
	return s
}

func (s *scene) observe(e live.Event) {
	switch e.Kind {
	case live.EventOpened:
		s.opened <- wsauth.ConnOf(e.Right)
	case live.EventEnded, live.EventRefused, live.EventPanicked:
		s.ended <- e.Err
	default:
	}
}

// play has it happen before a page, and checks what the page sees.
func (c closing) play(t *testing.T, p testpage.Page, codes wsauth.CloseCodes) {
	t.Helper()
	s := c.stage(t, p, codes)
	v := carried(s.alice())
	if c.bring != nil {
		v = c.bring(s)
	}
	closed := p.Open(t, s.url, v)
	if c.live != nil {
		c.live(s, wait(t, s.opened, "the connection"))
	}
	got, want := closed(), c.expected(codes)
	got.WasClean = got.WasClean || c.cut
	if got != want {
		t.Errorf("the page sees %+v, want %+v", got, want)
	}
	if c.cause != nil {
		if err := wait(t, s.ended, "the server's end"); !errors.Is(err, c.cause) {
			t.Errorf("the server gives %v as the cause, want %v", err, c.cause)
		}
	}
}

// expected returns what a page is to see.
func (c closing) expected(codes wsauth.CloseCodes) outcome {
	if c.want != nil {
		return *c.want
	}
	reason := c.reason
	if reason == "" && !errors.Is(c.cause, live.ErrClosed) {
		reason = httpauth.Refusal(c.cause).Message
	}
	return clean(int(closeCode(httpauth.Refusal(c.cause).Code, codes)), reason)
}

// alice returns her access token.
func (s *scene) alice() string {
	return access(s.t, s.auth, paseto.Grant{Subject: "alice"})
}

// expired returns an access token of alice's of yesterday.
func (s *scene) expired() string {
	yesterday := paseto.WithClock(func() time.Time { return start.Add(-24 * time.Hour) })
	return access(s.t, newAuthorizer(s.t, paseto.Config{}, yesterday), paseto.Grant{Subject: "alice"})
}

// open opens another socket beforehand, which stays open.
func (s *scene) open(v visit) { s.page.Open(s.t, s.url, v) }

// carried is a visit with a token as a subprotocol.
func carried(token string) visit { return visit{Protocols: []string{wsauth.Marker, token}} }

// telling is a visit whose token, if any, comes in messages.
func telling(messages ...string) visit { return visit{Messages: messages} }

// closePresets are the sets of codes that can be configured.
var closePresets = []wsauth.CloseCodes{wsauth.StandardCodes, wsauth.PrivateCodes, wsauth.GraphQLWSCodes}

// closings are all ways for a connection to be closed.
func closings() []closing {
	return slices.Concat(failureClosings(), handshakeClosings(), messageClosings(), silentRefusals(),
		liveClosings(), renewalClosings(), applicationClosings(), protocolClosings(), ownCodeClosings())
}

// failureClosings are the rows of TestFailures.
func failureClosings() []closing {
	var rows []closing
	for _, f := range slices.Concat(tokenFailures(), credentialFailures(), ticketFailures()) {
		c := closing{
			name: "handshake: " + f.name, cause: &paseto.Error{Code: f.code, Message: f.message},
			tokens: f.paseto, req: f.req, in: f.in, opts: f.opts, rough: true,
			bring: func(s *scene) visit {
				h := f.send(s.t, s.auth)
				return visit{Header: h.header, Query: h.query}
			},
		}
		if c.in == nil {
			c.in = []httpauth.Location{httpauth.LocationHeader, httpauth.LocationTicket}
		}
		rows = append(rows, c)
	}
	return rows
}

// TestClosures has every cause end a connection, and looks at it as a page would.
func TestClosures(t *testing.T) {
	t.Parallel()
	playAll(t, testpage.Go{}, closePresets, closings())
}

// playAll plays all of them with each preset, beside one another.
func playAll(t *testing.T, p testpage.Page, presets []wsauth.CloseCodes, closings []closing) {
	t.Helper()
	for _, codes := range presets {
		t.Run(string(codes), func(t *testing.T) {
			for _, c := range closings {
				t.Run(c.name, func(t *testing.T) {
					t.Parallel()
					c.play(t, p, codes)
				})
			}
		})
	}
}

// TestEveryClosureIsPlayed: each listed cause ends a connection in TestClosures.
func TestEveryClosureIsPlayed(t *testing.T) {
	t.Parallel()
	played := closings()
	for _, c := range wsauth.Closures() {
		if !slices.ContainsFunc(played, func(p closing) bool { return errors.Is(p.cause, c.Cause) }) {
			t.Errorf("nothing is closed for %s: %s", c.Cause, c.Cause.Message())
		}
	}
}

// TestClosuresInBrowser is TestClosures for what a browser lets a page do. What is
// refused over HTTP is among it.
func TestClosuresInBrowser(t *testing.T) {
	t.Parallel()
	presets := closePresets[:2] // a browser treats the codes of the others alike
	playAll(t, testpage.NewChromium(t), presets, slices.DeleteFunc(closings(), func(c closing) bool { return c.rough }))
}
