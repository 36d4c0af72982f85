package httpauth_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/internal/testclock"
	"github.com/pasetokit/pasetokit/internal/testlog"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
	"github.com/pasetokit/pasetokit/paseto/live"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// start is when the tests begin. It has a fraction, as times of day do.
var start = time.Date(2030, 1, 2, 3, 4, 5, 600_000_000, time.UTC)

// clock is a time that tests move by hand.
type clock = testclock.Clock

// logBuffer is a log that tests read.
type logBuffer = testlog.Buffer

// The keys that tests share.
var (
	localKey  = paseto.NewLocalKey()
	secretKey = paseto.NewSecretKey()
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// setup says how the program under test differs from the defaults.
type setup struct {
	auth       paseto.Config
	web        httpauth.Config
	store      denylist.Store // default: in memory
	noDenylist bool
	clock      *clock // default: its own
	implicit   func(*http.Request) []byte
	live       live.Config
	observe    func(live.Event)
}

// noTime is a context that has ended.
var noTime = func() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}()

// site is a program under test.
type site struct {
	auth  *paseto.Authorizer
	web   *httpauth.Web
	clock *clock
	log   *logBuffer
}

func newSite(t testing.TB, s setup) *site {
	t.Helper()
	if s.clock == nil {
		s.clock = testclock.New(start)
	}
	if s.auth.Keys == nil {
		s.auth.Keys = []paseto.Key{localKey, secretKey}
	}
	opts := []paseto.Option{paseto.WithClock(s.clock.Now)}
	if !s.noDenylist {
		if s.store == nil {
			store := denylist.NewMemory(denylist.WithClock(s.clock.Now))
			t.Cleanup(func() { store.Close() })
			s.store = store
		}
		opts = append(opts, paseto.WithDenylist(s.store))
	}
	auth, err := paseto.New(s.auth, opts...)
	if err != nil {
		t.Fatal(err)
	}
	log := &logBuffer{}
	logger := slog.New(slog.NewTextHandler(log, nil))
	keeper, err := live.New(auth, s.live, live.WithLogger(logger), live.WithObserver(s.observe))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = keeper.Shutdown(noTime) })
	web, err := httpauth.New(auth, s.web, httpauth.WithLogger(logger), httpauth.WithImplicit(s.implicit), httpauth.WithKeeper(keeper))
	if err != nil {
		t.Fatal(err)
	}
	return &site{auth: auth, web: web, clock: s.clock, log: log}
}

func (s *site) access(t testing.TB, g paseto.Grant) string {
	t.Helper()
	issued, err := s.auth.IssueAccess(g)
	if err != nil {
		t.Fatal(err)
	}
	return issued.Token.Reveal()
}

func (s *site) pair(t testing.TB) (access, refresh string) {
	t.Helper()
	pair, err := s.auth.IssuePair(paseto.Grant{Subject: "alice", Fresh: true})
	if err != nil {
		t.Fatal(err)
	}
	return pair.Access.Token.Reveal(), pair.Refresh.Token.Reveal()
}

// whoami answers with the subject of the claims in the request's context.
func whoami(w http.ResponseWriter, r *http.Request) {
	claims := paseto.FromContext(r.Context())
	if claims.Anonymous() {
		_, _ = io.WriteString(w, "anonymous")
		return
	}
	_, _ = io.WriteString(w, claims.Subject)
}

// part changes a request before it is sent.
type part func(*http.Request)

func header(name, value string) part {
	return func(r *http.Request) { r.Header.Add(name, value) }
}

func bearer(token string) part { return header("Authorization", "Bearer "+token) }

func cookie(name, value string) part { return header("Cookie", name+"="+value) }

const (
	asJSON = "application/json"
	asForm = "application/x-www-form-urlencoded"
)

func body(mediaType, text string) part {
	return func(r *http.Request) {
		r.Body = io.NopCloser(strings.NewReader(text))
		r.ContentLength = int64(len(text))
		r.Header.Set("Content-Type", mediaType)
	}
}

// object is a JSON body with one member.
func object(key, value string) part {
	return body(asJSON, string(must(json.Marshal(map[string]string{key: value}))))
}

// answer is what came back.
type answer struct {
	status  int
	header  http.Header
	body    string
	cookies map[string]*http.Cookie
}

// send has handler answer a request to https://example.com/.
func send(t testing.TB, handler http.Handler, method string, parts ...part) answer {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, "https://example.com/", http.NoBody)
	for _, p := range parts {
		p(r)
	}
	rec := httptest.NewRecorder()
	handler.ServeHTTP(rec, r)
	return read(t, rec.Result())
}

func get(t testing.TB, handler http.Handler, parts ...part) answer {
	t.Helper()
	return send(t, handler, http.MethodGet, parts...)
}

func post(t testing.TB, handler http.Handler, parts ...part) answer {
	t.Helper()
	return send(t, handler, http.MethodPost, parts...)
}

func read(t testing.TB, res *http.Response) answer {
	t.Helper()
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	a := answer{status: res.StatusCode, header: res.Header, body: string(text), cookies: make(map[string]*http.Cookie)}
	for _, c := range res.Cookies() {
		if _, twice := a.cookies[c.Name]; twice {
			t.Errorf("cookie %s is set twice", c.Name)
		}
		a.cookies[c.Name] = c
	}
	return a
}

// checkOK checks that a request was answered with status 200 and this body.
func checkOK(t testing.TB, a answer, text string) {
	t.Helper()
	if a.status != http.StatusOK || a.body != text {
		t.Errorf("answer is %d %q, want 200 %q", a.status, a.body, text)
	}
}

// problem is what a client should see of a refusal.
type problem struct {
	status    int
	code      paseto.Code
	detail    string
	challenge string // exactly; empty for none
}

// refusal is a problem as the token's refusal tells it.
func refusal(status int, err error, challenge string) problem {
	told := httpauth.Refusal(err)
	return problem{status: status, code: told.Code, detail: told.Message, challenge: challenge}
}

// challenge is the WWW-Authenticate header with an error code.
func challenge(code, description string) string {
	return `Bearer realm="api", error="` + code + `", error_description="` + description + `"`
}

// noCredential is the WWW-Authenticate header without an error code.
const noCredential = `Bearer realm="api"`

func checkProblem(t testing.TB, a answer, want problem) {
	t.Helper()
	if a.status != want.status {
		t.Errorf("status is %d, want %d", a.status, want.status)
	}
	var got httpauth.Problem
	decoder := json.NewDecoder(strings.NewReader(a.body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&got); err != nil {
		t.Fatalf("body %q is no problem: %v", a.body, err)
	}
	wantBody := httpauth.Problem{
		Type: "about:blank", Title: http.StatusText(want.status), Status: want.status,
		Detail: want.detail, Code: want.code,
	}
	if got != wantBody {
		t.Errorf("problem is\n%+v, want\n%+v", got, wantBody)
	}
	for name, value := range map[string]string{
		"Content-Type":           "application/problem+json",
		"Cache-Control":          "no-store",
		"X-Content-Type-Options": "nosniff",
		"WWW-Authenticate":       want.challenge,
	} {
		if got := strings.Join(a.header.Values(name), "\n"); got != value {
			t.Errorf("%s is\n%q, want\n%q", name, got, value)
		}
	}
	// With 429 it depends on the refusal.
	if wait := a.header.Get("Retry-After"); want.status != http.StatusTooManyRequests && (wait != "") != (want.status == http.StatusServiceUnavailable) {
		t.Errorf("Retry-After is %q with status %d", wait, want.status)
	}
}

// tokens reads the body that Login and Refresh answer with.
func tokens(t testing.TB, a answer) httpauth.Tokens {
	t.Helper()
	if a.status != http.StatusOK {
		t.Fatalf("answer is %d %s, want 200", a.status, a.body)
	}
	var got httpauth.Tokens
	decoder := json.NewDecoder(strings.NewReader(a.body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&got); err != nil {
		t.Fatalf("body %q holds no tokens: %v", a.body, err)
	}
	for name, value := range map[string]string{"Content-Type": "application/json", "Cache-Control": "no-store"} {
		if got := a.header.Get(name); got != value {
			t.Errorf("%s is %q, want %q", name, got, value)
		}
	}
	return got
}
