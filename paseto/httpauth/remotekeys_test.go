package httpauth_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/internal/testclock"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
)

// publisher is a server of keys that tests break.
type publisher struct {
	*httptest.Server
	requests atomic.Int32
	handler  atomic.Pointer[http.HandlerFunc]
}

func newPublisher(t testing.TB, handler http.Handler) *publisher {
	t.Helper()
	p := &publisher{}
	p.serve(handler.ServeHTTP)
	p.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.requests.Add(1)
		(*p.handler.Load())(w, r)
	}))
	p.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0)
	p.StartTLS()
	p.Config.SetKeepAlivesEnabled(false)
	t.Cleanup(p.Close)
	return p
}

func (p *publisher) serve(handler http.HandlerFunc) { p.handler.Store(&handler) }

// text answers every request with this body.
func text(body string, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		_, _ = io.WriteString(w, body)
	}
}

func down(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }

// remote is a reader of a publisher's keys, on a clock of its own.
type remote struct {
	*httpauth.RemoteKeys
	clock *clock
	log   *logBuffer
}

func (p *publisher) reader(t testing.TB, opts ...httpauth.RemoteOption) *remote {
	t.Helper()
	r := &remote{clock: testclock.New(start), log: &logBuffer{}}
	opts = append([]httpauth.RemoteOption{
		httpauth.WithRemoteClient(p.Client()), httpauth.WithRemoteClock(r.clock.Now),
		httpauth.WithRemoteLogger(slog.New(slog.NewTextHandler(r.log, nil))),
	}, opts...)
	r.RemoteKeys = must(httpauth.NewRemoteKeys(p.URL, opts...))
	return r
}

// want checks which keys are found for a v4.public token.
func (r *remote) want(t testing.TB, kid string, want ...paseto.Key) {
	t.Helper()
	got, err := r.Keys(t.Context(), paseto.V4, paseto.Public, kid)
	if err != nil {
		t.Fatalf("Keys = %v", err)
	}
	if len(got) != len(want) {
		t.Fatalf("%d keys are found, want %d", len(got), len(want))
	}
	for i := range want {
		if !got[i].Equal(publicHalf(want[i])) || !got[i].NotAfter().Equal(want[i].NotAfter()) {
			t.Errorf("key %d is %s, want %s", i, got[i].ID(), want[i].KeyID())
		}
	}
}

func (p *publisher) wantRequests(t testing.TB, want int32) {
	t.Helper()
	if got := p.requests.Load(); got != want {
		t.Fatalf("%d requests were sent, want %d", got, want)
	}
}

func unknownKid() string { return paseto.NewSecretKey().KeyID() }

// TestRemoteKeysRotation has one service issue and another, which knows the
// address of the first and no key, verify through all of a rotation.
func TestRemoteKeysRotation(t *testing.T) {
	t.Parallel()
	issuer := newSite(t, setup{auth: paseto.Config{Purpose: paseto.Public, Keys: []paseto.Key{secretKey}}})
	p := newPublisher(t, issuer.web.Keys())
	keys := p.reader(t)
	verifier := must(paseto.New(paseto.Config{}, paseto.WithKeySource(keys), paseto.WithClock(keys.clock.Now)))
	web := must(httpauth.New(verifier, httpauth.Config{}))
	route := web.Require(paseto.Requirement{}, http.HandlerFunc(whoami))
	advance := func(d time.Duration) {
		issuer.clock.Advance(d)
		keys.clock.Advance(d)
	}
	grant := paseto.Grant{Subject: "alice", TTL: time.Hour}

	old := issuer.access(t, grant)
	checkOK(t, get(t, route, bearer(old)), "alice")
	checkOK(t, get(t, route, bearer(old)), "alice")
	p.wantRequests(t, 1)

	// The new key issues at once: its first token has the keys fetched.
	advance(time.Minute)
	next := paseto.NewSecretKey()
	if err := issuer.auth.SetKeys(next, secretKey.Retire(issuer.clock.Now().Add(time.Hour))); err != nil {
		t.Fatal(err)
	}
	fresh := issuer.access(t, grant)
	checkOK(t, get(t, route, bearer(fresh)), "alice")
	checkOK(t, get(t, route, bearer(old)), "alice")
	p.wantRequests(t, 2)

	// The old key is withdrawn before its time.
	if err := issuer.auth.SetKeys(next); err != nil {
		t.Fatal(err)
	}
	advance(5 * time.Minute)
	checkOK(t, get(t, route, bearer(fresh)), "alice")
	if a := get(t, route, bearer(old)); a.status != http.StatusUnauthorized {
		t.Errorf("a token of a withdrawn key is answered with %d %s", a.status, a.body)
	}
	p.wantRequests(t, 3) // the keys had expired; the old one is not asked for so soon after
	if strings.Count(keys.log.String(), "remote keys changed") != 3 || !strings.Contains(keys.log.String(), next.KeyID()) {
		t.Errorf("changes are not logged by key id:\n%s", keys.log)
	}
}

func TestRemoteKeysChoice(t *testing.T) {
	t.Parallel()
	other := paseto.NewSecretKey()
	retired := paseto.NewSecretKey().Retire(start.Add(time.Hour))
	v3 := must(paseto.NewKey(paseto.V3, paseto.Public))
	p := newPublisher(t, text(listing(published(secretKey), published(v3), published(other), published(retired))))
	keys := p.reader(t)
	keys.want(t, "", secretKey, other, retired)
	keys.want(t, other.KeyID(), other)
	keys.want(t, "my own name", secretKey, other, retired)
	keys.want(t, localKey.KeyID())
	keys.want(t, v3.KeyID())
	if got, err := keys.Keys(t.Context(), paseto.V3, paseto.Public, v3.KeyID()); err != nil || len(got) != 1 {
		t.Errorf("for v3 there are %v, %v", got, err)
	}
	if got, err := keys.Keys(t.Context(), paseto.V4, paseto.Local, ""); err != nil || got != nil {
		t.Errorf("for local tokens there are %v, %v", got, err)
	}
	p.wantRequests(t, 1)
}

// TestRemoteKeysUnknownKid sends made-up key ids: they cause one request in an
// interval.
func TestRemoteKeysUnknownKid(t *testing.T) {
	t.Parallel()
	p := newPublisher(t, text(listing(published(secretKey))))
	keys := p.reader(t, httpauth.WithRemoteMinInterval(time.Minute))
	keys.want(t, "", secretKey)
	for interval := range int32(3) {
		for range 20 {
			keys.want(t, unknownKid())
			keys.clock.Advance(time.Second)
		}
		p.wantRequests(t, 1+interval)
		keys.clock.Advance(40 * time.Second)
	}
}

func TestRemoteKeysAge(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		control string
		want    time.Duration
	}{
		{"", 5 * time.Minute},
		{"public, max-age=600", 10 * time.Minute},
		{`Max-Age="600"`, 10 * time.Minute},
		{"max-age=0", time.Minute},
		{"max-age=-5", 5 * time.Minute},
		{"max-age=soon", 5 * time.Minute},
		{"max-age=99999999", 24 * time.Hour},
		{"no-store", time.Minute},
		{"max-age=600, no-cache", time.Minute},
	} {
		t.Run(test.control, func(t *testing.T) {
			t.Parallel()
			p := newPublisher(t, text(listing(published(secretKey)), "Cache-Control", test.control))
			keys := p.reader(t)
			keys.want(t, "", secretKey)
			keys.clock.Advance(test.want - time.Second)
			keys.want(t, "", secretKey)
			p.wantRequests(t, 1)
			keys.clock.Advance(time.Second)
			keys.want(t, "", secretKey)
			p.wantRequests(t, 2)
		})
	}
}

// TestRemoteKeysClockSetBack has keys fetched anew, since their age is not known any
// more.
func TestRemoteKeysClockSetBack(t *testing.T) {
	t.Parallel()
	p := newPublisher(t, text(listing(published(secretKey))))
	keys := p.reader(t)
	keys.want(t, "", secretKey)
	keys.clock.Advance(-time.Hour)
	keys.want(t, "", secretKey)
	p.wantRequests(t, 2)
	keys.want(t, "", secretKey)
	p.wantRequests(t, 2)
}

func TestRemoteKeysRevalidate(t *testing.T) {
	t.Parallel()
	s := newSite(t, setup{auth: paseto.Config{Keys: []paseto.Key{secretKey}}})
	p := newPublisher(t, s.web.Keys())
	var statuses []int
	p.serve(func(w http.ResponseWriter, r *http.Request) {
		recorder := httptest.NewRecorder()
		s.web.Keys().ServeHTTP(recorder, r)
		statuses = append(statuses, recorder.Code)
		for name, values := range recorder.Header() {
			w.Header()[name] = values
		}
		w.WriteHeader(recorder.Code)
		_, _ = w.Write(recorder.Body.Bytes())
	})
	keys := p.reader(t)
	for range 3 {
		keys.want(t, "", secretKey)
		keys.clock.Advance(5 * time.Minute)
	}
	if len(statuses) != 3 || statuses[0] != 200 || statuses[1] != 304 || statuses[2] != 304 {
		t.Errorf("statuses are %v", statuses)
	}
}

// TestRemoteKeysSourceDown has the publisher fail before and after the first
// good answer.
func TestRemoteKeysSourceDown(t *testing.T) {
	t.Parallel()
	p := newPublisher(t, http.HandlerFunc(down))
	keys := p.reader(t)
	for range 3 {
		_, err := keys.Keys(t.Context(), paseto.V4, paseto.Public, unknownKid())
		if err == nil || !strings.Contains(err.Error(), "expected status 200, got 500") {
			t.Errorf("Keys = %v", err)
		}
	}
	p.wantRequests(t, 1)
	verifier := must(paseto.New(paseto.Config{}, paseto.WithKeySource(keys), paseto.WithClock(keys.clock.Now)))
	web := must(httpauth.New(verifier, httpauth.Config{}))
	token := must(must(paseto.New(paseto.Config{Purpose: paseto.Public, Keys: []paseto.Key{secretKey}},
		paseto.WithClock(keys.clock.Now))).IssueAccess(paseto.Grant{Subject: "alice", TTL: 48 * time.Hour})).Token.Reveal()
	route := web.Require(paseto.Requirement{}, http.HandlerFunc(whoami))
	checkProblem(t, get(t, route, bearer(token)), refusal(http.StatusServiceUnavailable, paseto.ErrKeysUnavailable, ""))

	p.serve(text(listing(published(secretKey))))
	keys.clock.Advance(30 * time.Second)
	checkOK(t, get(t, route, bearer(token)), "alice")
	p.wantRequests(t, 2)

	p.serve(down)
	keys.clock.Advance(24 * time.Hour)
	for range 3 {
		checkOK(t, get(t, route, bearer(token)), "alice")
	}
	p.wantRequests(t, 3)
	if !strings.Contains(keys.log.String(), `level=ERROR msg="remote keys cannot be fetched"`) {
		t.Errorf("the failure is not logged:\n%s", keys.log)
	}

	// While the publisher hangs, the keys that it had are used without delay.
	hang := make(chan struct{})
	p.serve(func(w http.ResponseWriter, r *http.Request) { <-hang; text(listing())(w, r) })
	keys.clock.Advance(time.Minute)
	keys.want(t, secretKey.KeyID(), secretKey)
	close(hang)
	keys.want(t, unknownKid()) // waits for the answer
	keys.want(t, "")
	p.wantRequests(t, 4)
}

// TestRemoteKeysTogether checks that of many callers one fetches, and that the
// others wait no longer than they want to.
func TestRemoteKeysTogether(t *testing.T) {
	t.Parallel()
	release, asked := make(chan struct{}), make(chan struct{}, 1)
	p := newPublisher(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- struct{}{}
		<-release
		text(listing(published(secretKey)))(w, r)
	}))
	keys := p.reader(t)

	// The first one goes away; what it began goes on.
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		if _, err := keys.Keys(ctx, paseto.V4, paseto.Public, ""); !errors.Is(err, context.Canceled) {
			t.Errorf("a caller that has gone away gets %v", err)
		}
	})
	<-asked
	cancel()
	wg.Wait()
	for range 8 {
		wg.Go(func() {
			if got, err := keys.Keys(t.Context(), paseto.V4, paseto.Public, secretKey.KeyID()); err != nil || len(got) != 1 {
				t.Errorf("one that waited gets %v, %v", got, err)
			}
		})
	}
	close(release)
	wg.Wait()
	p.wantRequests(t, 1)
}

func TestRemoteKeysURL(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]string{
		"https://login.example.com/keys": "",
		"http://127.0.0.1:8080/keys":     "",
		"http://[::1]/keys":              "",
		"http://localhost/keys":          "",
		"http://login.example.com/keys":  "http is for loopback hosts alone, not for \"login.example.com\"",
		"http://localhost.example.com/":  "http is for loopback hosts alone",
		"http://192.0.2.1/keys":          "http is for loopback hosts alone",
		"ftp://localhost/keys":           "expected https://host/path",
		"/keys":                          "expected https://host/path",
		"":                               "expected https://host/path",
		"https://me:secret@example.com/": "it holds a user name or password",
		"https://exa mple.com/\x00":      "it is not a URL",
	} {
		_, err := httpauth.NewRemoteKeys(url, nil, httpauth.WithRemoteClient(nil), httpauth.WithRemoteClock(nil),
			httpauth.WithRemoteLogger(nil), httpauth.WithRemoteMinInterval(0))
		switch {
		case want == "" && err != nil:
			t.Errorf("%s is refused: %v", url, err)
		case want != "" && (!errors.Is(err, paseto.ErrConfig) || !strings.Contains(err.Error(), want)):
			t.Errorf("%s: error is %v, want %q", url, err, want)
		case err != nil && strings.Contains(err.Error(), "secret"):
			t.Errorf("the password is shown: %v", err)
		}
	}
	if _, err := httpauth.NewRemoteKeys("https://example.com", httpauth.WithRemoteMinInterval(-1)); !errors.Is(err, paseto.ErrConfig) {
		t.Errorf("a negative interval: %v", err)
	}
}

func TestRemoteKeysRedirect(t *testing.T) {
	t.Parallel()
	list := text(listing(published(secretKey)))
	other := newPublisher(t, list)
	plain := httptest.NewServer(list)
	t.Cleanup(plain.Close)
	p := newPublisher(t, list)
	for _, test := range []struct{ name, to, want string }{
		{"the same host", p.URL + "/moved", ""},
		{"another host", other.URL, "refused a redirect to another host"},
		{"plain HTTP", strings.Replace(p.URL, "https", "http", 1), `refused a redirect from https to "http"`},
		{"plain HTTP elsewhere", plain.URL, `refused a redirect from https to "http"`},
		{"in a circle", p.URL, "refused more than 3 redirects"},
	} {
		t.Run(test.name, func(t *testing.T) {
			p.serve(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/moved" {
					list(w, r)
					return
				}
				http.Redirect(w, r, test.to, http.StatusFound)
			})
			client := p.Client()
			client.CheckRedirect = func(*http.Request, []*http.Request) error { return nil }
			keys := p.reader(t, httpauth.WithRemoteClient(client))
			_, err := keys.Keys(t.Context(), paseto.V4, paseto.Public, "")
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("error is %v, want %q", err, test.want)
			}
		})
	}
	other.wantRequests(t, 0)
}

// TestRemoteKeysMembers checks that members which are not known yet do no harm.
func TestRemoteKeysMembers(t *testing.T) {
	t.Parallel()
	half := published(secretKey)
	half["use"] = "sign"
	p := newPublisher(t, text(strings.Replace(listing(half), "{", `{"version":2,`, 1)))
	p.reader(t).want(t, "", secretKey)
}

// TestRemoteKeysSourceHangs: keys that are at hand serve although their renewal
// gets no answer.
func TestRemoteKeysSourceHangs(t *testing.T) {
	t.Parallel()
	key, err := paseto.NewSecretKey().PublicKey()
	if err != nil {
		t.Fatal(err)
	}
	hang := make(chan struct{})
	p := newPublisher(t, text(fmt.Sprintf(`{"keys":[{"kid":%q,"paserk":%q}]}`, key.KeyID(), key.Export())))
	r := p.reader(t)
	r.want(t, key.KeyID(), key)
	p.serve(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-hang:
		case <-r.Context().Done():
		}
	})
	t.Cleanup(func() { close(hang) })
	r.clock.Advance(time.Hour)
	r.want(t, key.KeyID(), key)
}
