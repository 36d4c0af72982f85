package paseto_test

import (
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/internal/testclock"
	"github.com/pasetokit/pasetokit/internal/testtoken"
	"github.com/pasetokit/pasetokit/paseto"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// start is when the tests begin. It has a fraction, as times of day do, and
// issuedAt is the same time as a token says it.
var (
	start    = time.Date(2030, 1, 2, 3, 4, 5, 600_000_000, time.UTC)
	issuedAt = start.Truncate(time.Second)
)

// clock is a time that tests move by hand.
type clock = testclock.Clock

func newClock() *clock { return testclock.New(start) }

// The material of the keys that tests share.
const (
	localHex = "707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f"
	seedHex  = "b4cbfb43df4ce210727d953e4a713307fa19bb7d9f85041438d9e11b942a3774"
)

var (
	keyPair    = ed25519.NewKeyFromSeed(unhex(seedHex))
	localKey   = must(paseto.ParseKeyFor(paseto.V4, paseto.Local, localHex))
	secretKey  = must(paseto.ParseKeyFor(paseto.V4, paseto.Public, hex.EncodeToString(keyPair)))
	publicKey  = must(secretKey.PublicKey())
	otherLocal = paseto.NewLocalKey()
	otherPair  = paseto.NewSecretKey()
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func unhex(s string) []byte { return must(hex.DecodeString(s)) }

// newAuthorizer returns an Authorizer with the shared keys, unless cfg has
// others, whose clock stands at start, unless an option gives another.
func newAuthorizer(t testing.TB, cfg paseto.Config, opts ...paseto.Option) *paseto.Authorizer {
	t.Helper()
	if cfg.Keys == nil {
		cfg.Keys = []paseto.Key{localKey, secretKey}
	}
	opts = append([]paseto.Option{paseto.WithClock(func() time.Time { return start })}, opts...)
	auth, err := paseto.New(cfg, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return auth
}

// revocable returns an Authorizer with an in-memory denylist on the same
// clock.
func revocable(t testing.TB, cfg paseto.Config, opts ...paseto.Option) (*paseto.Authorizer, *clock) {
	t.Helper()
	c := newClock()
	store := denylist.NewMemory(denylist.WithClock(c.Now))
	t.Cleanup(func() { _ = store.Close() })
	opts = append([]paseto.Option{paseto.WithClock(c.Now), paseto.WithDenylist(store)}, opts...)
	return newAuthorizer(t, cfg, opts...), c
}

// nodes returns two Authorizers as two machines have them: with one denylist,
// and clocks that agree.
func nodes(t testing.TB, cfg paseto.Config, opts ...paseto.Option) (one, two *paseto.Authorizer, c *clock) {
	t.Helper()
	c = newClock()
	store := denylist.NewMemory(denylist.WithClock(c.Now))
	t.Cleanup(func() { _ = store.Close() })
	opts = append([]paseto.Option{paseto.WithClock(c.Now), paseto.WithDenylist(store)}, opts...)
	return newAuthorizer(t, cfg, opts...), newAuthorizer(t, cfg, opts...), c
}

func issueAccess(t testing.TB, auth *paseto.Authorizer, g paseto.Grant) paseto.Issued {
	t.Helper()
	issued, err := auth.IssueAccess(g)
	if err != nil {
		t.Fatal(err)
	}
	return issued
}

func issuePair(t testing.TB, auth *paseto.Authorizer, g paseto.Grant) paseto.Pair {
	t.Helper()
	pair, err := auth.IssuePair(g)
	if err != nil {
		t.Fatal(err)
	}
	return pair
}

func refresh(t testing.TB, auth *paseto.Authorizer, token string, req paseto.Requirement) paseto.Pair {
	t.Helper()
	pair, err := auth.Refresh(t.Context(), token, req)
	if err != nil {
		t.Fatalf("the refresh is refused: %v", err)
	}
	return pair
}

func verify(t testing.TB, auth *paseto.Authorizer, token string, req paseto.Requirement) *paseto.Claims {
	t.Helper()
	claims, err := auth.Verify(t.Context(), token, req)
	if err != nil {
		t.Fatalf("the token is refused: %v", err)
	}
	return claims
}

// says returns everything that claims say, as text.
func says(t testing.TB, c *paseto.Claims) string {
	t.Helper()
	var payload json.RawMessage
	if err := c.Decode(&payload); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%s.%s %s %q: %q %q %q %q %q %q %s %s %s %s %t %q", c.Version, c.Purpose, payload, c.Footer,
		c.ID, c.Type, c.Subject, c.Session, c.Issuer, c.Audience, c.AuthTime, c.IssuedAt, c.NotBefore, c.ExpiresAt, c.Fresh, c.Scopes)
}

// checkRefused checks that err is the refusal that sentinel stands for, with
// exactly this message for the client; an empty one stands for the sentinel's.
func checkRefused(t testing.TB, err, sentinel error, message string) {
	t.Helper()
	refusal, ok := errors.AsType[*paseto.Error](err)
	if !ok {
		t.Fatalf("error is %v, want a refusal", err)
	}
	want, _ := errors.AsType[*paseto.Error](sentinel)
	if message == "" {
		message = want.Message
	}
	if refusal.Message != message {
		t.Errorf("message is %q, want %q", refusal.Message, message)
	}
	if refusal.Code != want.Code {
		t.Errorf("code is %q, want %q", refusal.Code, want.Code)
	}
	if !errors.Is(err, sentinel) {
		t.Errorf("errors.Is does not find %v", sentinel)
	}
	if !strings.HasPrefix(err.Error(), "paseto: "+message) {
		t.Errorf("the error for the log is %q", err)
	}
}

// sign returns a v4.public token of the shared key with exactly this payload.
func sign(payload, footer, implicit string) string {
	return testtoken.Sign(secretKey, payload, footer, implicit)
}

// events collects what an Authorizer tells its observer.
type events struct {
	mu  sync.Mutex
	all []paseto.Event
}

func (e *events) observe(event paseto.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.all = append(e.all, event)
}

// kinds returns the kinds of the events since the last call.
func (e *events) kinds() []paseto.EventKind {
	var kinds []paseto.EventKind
	for _, event := range e.take() {
		kinds = append(kinds, event.Kind)
	}
	return kinds
}

func (e *events) take() []paseto.Event {
	e.mu.Lock()
	defer e.mu.Unlock()
	all := e.all
	e.all = nil
	return all
}
