package httpauth_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
	"github.com/pasetokit/pasetokit/paseto/live"
)

// TestStreamRefused: a stream refuses as a guarded route does, and beyond the limits of its
// Keeper before the token is looked at. A refusal takes no place.
func TestStreamRefused(t *testing.T) {
	t.Parallel()
	jsonToo := httpauth.Config{Locations: []httpauth.Location{httpauth.LocationJSON}}
	hold := func(s *site) { // a place that is taken
		claims := must(s.auth.Verify(t.Context(), s.access(t, paseto.Grant{Subject: "alice"}), paseto.Requirement{}))
		_ = must(s.web.Keeper().Open(context.Background(), claims, nil, nil))
	}
	tooMany := refusal(http.StatusTooManyRequests, live.ErrTooMany, "")
	for _, test := range []struct {
		name    string
		how     setup
		limits  live.Config
		before  func(*site)
		req     paseto.Requirement
		opts    []httpauth.RouteOption
		token   string
		want    problem
		noCheck bool // the token is not verified
	}{
		{name: "no token", want: refusal(401, paseto.ErrNoToken, noCredential), noCheck: true},
		{name: "not a token", token: "v4.local.AAAA", want: refusal(401, paseto.ErrMalformed, challenge("invalid_token", "Invalid PASETO format")), noCheck: true},
		{
			name: "scope", req: paseto.Requirement{Scopes: []string{"admin"}}, token: "alice", noCheck: true,
			want: refusal(403, paseto.ErrScope, challenge("insufficient_scope", "Token scope is not sufficient")+`, scope="admin"`),
		},
		{name: "header where the body is configured", how: setup{web: jsonToo}, want: refusal(401, paseto.ErrNoToken, noCredential), noCheck: true},
		{
			name: "body named by an option", opts: []httpauth.RouteOption{httpauth.WithLocations(httpauth.LocationJSON)}, noCheck: true,
			want: problem{status: 500, code: paseto.ErrLocation, detail: "json token location is not supported for streams"},
		},
		{name: "too many of the subject", limits: live.Config{PerSubject: 1}, before: hold, token: "alice", want: tooMany},
		{name: "too many", limits: live.Config{MaxRights: 1}, before: hold, token: "alice", want: refusal(503, live.ErrOverload, ""), noCheck: true},
		{
			name: "shutdown", token: "alice", want: refusal(503, live.ErrShutdown, ""), noCheck: true,
			before: func(s *site) { _ = s.web.Keeper().Shutdown(context.Background()) },
		},
		{name: "store down", how: setup{store: closedStore()}, token: "alice", want: unavailable, noCheck: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.how.live = test.limits
			s := newSite(t, test.how)
			checks := 0
			test.req.Check = func(context.Context, *paseto.Claims) error { checks++; return nil }
			stream := s.web.Stream(test.req, http.HandlerFunc(whoami), test.opts...)
			if test.before != nil {
				test.before(s)
			}
			before := s.web.Keeper().Stats().Places
			var parts []part
			if test.token == "alice" {
				parts = append(parts, bearer(s.access(t, paseto.Grant{Subject: "alice"})))
			} else if test.token != "" {
				parts = append(parts, bearer(test.token))
			}
			checkProblem(t, get(t, stream, parts...), test.want)
			if checked := checks > 0; checked == test.noCheck {
				t.Errorf("the token was checked: %t, want %t", checked, !test.noCheck)
			}
			if after := s.web.Keeper().Stats().Places; after != before {
				t.Errorf("%d places are taken after the refusal, %d before", after, before)
			}
		})
	}
	t.Run("no handler", func(t *testing.T) {
		t.Parallel()
		s := newSite(t, setup{})
		checkProblem(t, get(t, s.web.Stream(paseto.Requirement{}, nil)), refusal(500, httpauth.ErrServer, ""))
		if !strings.Contains(s.log.String(), "the handler is nil") {
			t.Errorf("the log is %q", s.log)
		}
	})
}

// TestStreamEndsBeforeItBegins: a right that ends while its token is looked at has its request
// refused, and nothing is cut.
func TestStreamEndsBeforeItBegins(t *testing.T) {
	t.Parallel()
	for _, proto := range protocols {
		t.Run(proto, func(t *testing.T) {
			t.Parallel()
			base := newSite(t, noGrace)
			s := serveStream(t, base, proto, base.web.Stream(paseto.Requirement{Check: func(context.Context, *paseto.Claims) error {
				_ = base.web.Keeper().Shutdown(noTime) //nolint:contextcheck // A shutdown has its own.
				return nil
			}}, http.HandlerFunc(whoami)))
			res := s.ask(s.alice())
			if text, complete := readAll(res); res.status != http.StatusServiceUnavailable || !strings.Contains(text, string(live.ErrShutdown)) || !complete {
				t.Errorf("the answer is %d %q, complete: %t", res.status, text, complete)
			}
		})
	}
}

// TestStreamContext: the handler finds the values of the request's context, the claims in
// force, and nobody for an anonymous caller.
func TestStreamContext(t *testing.T) {
	t.Parallel()
	type key struct{}
	base := newSite(t, setup{})
	renewed := make(chan string)
	guarded := base.web.Stream(paseto.Requirement{Optional: true}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprint(w, r.Context().Value(key{}), " ")
		before := paseto.FromContext(r.Context())
		if before != nil {
			right := onlyRight(t, base)
			if err := right.Renew(r.Context(), <-renewed); err != nil {
				t.Error(err)
			}
			if after := paseto.FromContext(r.Context()); after == before || !after.ExpiresAt.After(before.ExpiresAt) {
				t.Error("the context has not the claims in force")
			}
		}
		whoami(w, r)
	}))
	s := serveStream(t, base, "HTTP/1.1", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		guarded.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), key{}, "value")))
	}))
	if text, _ := readAll(s.open()); text != "value anonymous" {
		t.Errorf("an anonymous caller gets %q", text)
	}
	pair := must(s.auth.IssuePair(paseto.Grant{Subject: "alice"}))
	s.clock.Advance(time.Minute)
	next := must(s.auth.Refresh(t.Context(), pair.Refresh.Token.Reveal(), paseto.Requirement{}))
	go func() { renewed <- next.Access.Token.Reveal() }()
	if text, _ := readAll(s.open(bearer(pair.Access.Token.Reveal()))); text != "value alice" {
		t.Errorf("alice gets %q", text)
	}
}

// onlyRight returns the right that is open.
func onlyRight(t testing.TB, s *site) *live.Right {
	t.Helper()
	for right := range s.web.Keeper().Rights() {
		return right
	}
	t.Fatal("no right is open")
	return nil
}

// flusher is a ResponseWriter that can be flushed, and nothing else.
type flusher struct {
	http.ResponseWriter
	t testing.TB
}

func (h flusher) Flush() { flush(h.t, h.ResponseWriter) }

// TestStreamBehindMiddleware: where a ResponseWriter without Unwrap hides the connection, the
// response ends with its handler, as an error, and the log says why so late.
func TestStreamBehindMiddleware(t *testing.T) {
	t.Parallel()
	base := newSite(t, noGrace)
	logged := make(lines, 9)
	base.web = must(httpauth.New(base.auth, noGrace.web, httpauth.WithLogger(slog.New(slog.NewTextHandler(logged, nil))), httpauth.WithKeeper(base.web.Keeper())))
	returns := make(chan struct{})
	guarded := base.web.Stream(paseto.Requirement{}, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "hello")
		flush(t, w)
		<-returns
	}))
	s := serveStream(t, base, "HTTP/1.1", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		guarded.ServeHTTP(flusher{w, t}, r)
	}))
	res := s.open(s.alice())
	ends[1].by(s)
	if line := <-logged; !strings.Contains(line, "level=ERROR") || !strings.Contains(line, "has no method Unwrap") || !strings.Contains(line, "Token has been revoked") {
		t.Errorf("the log says %s", line)
	}
	close(returns)
	if text, complete := readAll(res); complete {
		t.Errorf("the response %q looks complete", text)
	}
}

// lines is a log that tests wait for.
type lines chan string

// Write implements [io.Writer].
func (l lines) Write(p []byte) (int, error) {
	l <- string(p)
	return len(p), nil
}
