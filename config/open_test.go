package config_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/config"
	"github.com/pasetokit/pasetokit/config/bolt"
	"github.com/pasetokit/pasetokit/config/redis"
	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/internal/secrettest"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
	"github.com/pasetokit/pasetokit/wsauth"
)

const (
	localKey  = "707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f"
	secretKey = "b4cbfb43df4ce210727d953e4a713307fa19bb7d9f85041438d9e11b942a37741eb9dbbbbc047c03fd70604e0071f0987e16b28b757225c11f00415d0e20b1a2"
	publicKey = "k4.public.Hrnbu7wEfAP9cGBOAHHwmH4Wsot1ciXBHwBBXQ4gsaI"
)

// with returns the defaults, a key and a change.
func with(change func(*config.Config)) *config.Config {
	cfg := new(config.Config)
	cfg.Token.Keys = []config.Key{{Value: paseto.NewSecret(localKey)}}
	change(cfg)
	return cfg
}

func open(t *testing.T, cfg *config.Config, opts ...config.Option) *config.Kit {
	t.Helper()
	kit, err := config.Open(t.Context(), cfg, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := kit.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return kit
}

// TestOpen checks that every value reaches the part that it is for.
func TestOpen(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	var events []paseto.EventKind
	kit := open(t, with(func(c *config.Config) {
		c.Token.Issuer, c.Token.Audience = "issuer", []string{"a", "b"}
		c.Token.AccessTTL = 5 * time.Minute
		c.Token.Leeway = 3 * time.Second
		c.HTTP.HeaderName, c.HTTP.HeaderScheme = "X-Token", httpauth.NoScheme
		c.HTTP.Locations = []httpauth.Location{"header", "cookie"}
		c.HTTP.Cookie.Insecure = true
		c.HTTP.Realm = "my realm"
	}), config.WithLogger(slog.New(slog.NewTextHandler(&log, nil))), config.WithObserver(func(e paseto.Event) {
		events = append(events, e.Kind)
	}))

	token, err := kit.Authorizer.IssueAccess(paseto.Grant{Subject: "alice"})
	if err != nil {
		t.Fatal(err)
	}
	c := token.Claims
	if c.Issuer != "issuer" || len(c.Audience) != 2 || c.ExpiresAt.Sub(c.IssuedAt) != 5*time.Minute {
		t.Errorf("claims are %+v", c)
	}
	if got := kit.Authorizer.Deadline(c).Sub(c.ExpiresAt); got != 3*time.Second {
		t.Errorf("leeway is %s", got)
	}
	if len(events) != 1 || events[0] != paseto.EventIssued {
		t.Errorf("events are %v, want one of kind issued", events)
	}

	me := kit.HTTP.Require(paseto.Requirement{}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, paseto.FromContext(r.Context()).Subject)
	}))
	for name, prepare := range map[string]func(*http.Request){
		"header": func(r *http.Request) { r.Header.Set("X-Token", token.Token.Reveal()) },
		"cookie": func(r *http.Request) { r.AddCookie(&http.Cookie{Name: "access_token", Value: token.Token.Reveal()}) },
	} {
		r, w := httptest.NewRequest(http.MethodGet, "/", http.NoBody), httptest.NewRecorder()
		prepare(r)
		me.ServeHTTP(w, r)
		if w.Code != http.StatusOK || w.Body.String() != "alice" {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}

	w := httptest.NewRecorder()
	me.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", http.NoBody))
	if got := w.Header().Get("WWW-Authenticate"); got != `Bearer realm="my realm"` {
		t.Errorf("challenge is %s", got)
	}
	if !strings.Contains(log.String(), "token_missing") {
		t.Errorf("the refusal is not logged: %s", log.String())
	}

	r := httptest.NewRequest(http.MethodGet, "/ws", http.NoBody)
	r.Header.Set("X-Token", token.Token.Reveal())
	if claims, err := kit.Guard.Authenticate(r, paseto.Requirement{}); err != nil || claims.Subject != "alice" {
		t.Errorf("the guard says %v, %v", claims, err)
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	store := denylist.NewMemory()
	t.Cleanup(func() { _ = store.Close() })
	for _, test := range []struct {
		name   string
		change func(*config.Config)
		opts   []config.Option
		want   string
	}{
		{"no key", func(c *config.Config) { c.Token.Keys = nil }, nil, "token.keys: is empty; without a key"},
		{"no store", func(c *config.Config) { c.Denylist.Store = "program" }, nil, `denylist.store = "program": the program gives no store`},
		{"useless store", func(c *config.Config) { c.Denylist.Disabled = true }, []config.Option{config.WithStore(store)}, "denylist.disabled = true: a store was given"},
		{"nothing to check", func(c *config.Config) { c.Denylist.Check = []string{} }, nil, "denylist.check: must not be empty"},
		{"public without a signing key", func(c *config.Config) {
			c.Token.Purpose = "public"
			c.Token.Keys = []config.Key{{Value: paseto.NewSecret(publicKey)}}
		}, nil, "token.keys: none of them can issue v4.public tokens; a public half only verifies"},
		{"a rule", func(c *config.Config) { c.Token.Purpose = "other" }, nil, "token.purpose"},
		{"a broken key", func(c *config.Config) { c.Token.Keys = []config.Key{{Value: paseto.NewSecret("x")}} }, nil, "token.keys[0]"},
		{"an empty key", func(c *config.Config) { c.Token.Keys = []config.Key{{}} }, nil, "token.keys[0]: expected the key itself, or exactly one"},
		{"a close code in code", func(c *config.Config) {
			c.WebSocket.CloseCodeFor = map[paseto.Code]wsauth.CloseCode{paseto.ErrExpired: 1006}
		}, nil, "WebSocket.CloseCodeFor[token_expired] = 1006: no close frame can carry this code"},
		{"zero configuration", func(c *config.Config) { *c = config.Config{} }, nil, "token.keys: is empty"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			kit, err := config.Open(t.Context(), with(test.change), test.opts...)
			if kit != nil || !errors.Is(err, paseto.ErrConfig) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("Open = %v, %v; want an error that says %q", kit, err, test.want)
			}
		})
	}
}

func TestOpenEndedContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := config.Open(ctx, with(func(*config.Config) {})); !errors.Is(err, context.Canceled) {
		t.Errorf("Open = %v", err)
	}
}

func TestOmitKeyID(t *testing.T) {
	t.Parallel()
	for _, omit := range []bool{false, true} {
		kit := open(t, with(func(c *config.Config) { c.Token.OmitKeyID = omit }))
		token, err := kit.Authorizer.IssueAccess(paseto.Grant{Subject: "alice"})
		if err != nil {
			t.Fatal(err)
		}
		if named := strings.Count(token.Token.Reveal(), ".") == 3; named == omit {
			t.Errorf("omit_key_id %v: the token has a footer: %v", omit, named)
		}
	}
}

// TestStartLeeway: the default, a value, and none, as files have them.
func TestStartLeeway(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{
		"": 5 * time.Second, "start_leeway: 0": 5 * time.Second, "start_leeway: 2s": 2 * time.Second, "start_leeway: none": paseto.NoStartLeeway,
	} {
		path := filepath.Join(t.TempDir(), "auth.yaml")
		if err := os.WriteFile(path, []byte("token: {keys: [\""+localKey+"\"], "+text+"}"), 0o600); err != nil {
			t.Fatal(err)
		}
		cfg, err := config.Load(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := open(t, cfg).Authorizer.Config().StartLeeway; got != want {
			t.Errorf("%q: StartLeeway is %s, want %s", text, got, want)
		}
	}
}

// TestWithImplicit: the token endpoints issue with the assertion that the program
// gives.
func TestWithImplicit(t *testing.T) {
	t.Parallel()
	implicit := []byte("tenant")
	kit := open(t, with(func(*config.Config) {}), config.WithImplicit(func(*http.Request) []byte { return implicit }))
	login := kit.HTTP.Login(func(context.Context, httpauth.Credentials) (paseto.Grant, error) {
		return paseto.Grant{Subject: "alice"}, nil
	})
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/login", strings.NewReader(`{"username":"alice","password":"x"}`))
	r.Header.Set("Content-Type", "application/json")
	rec := httptest.NewRecorder()
	login.ServeHTTP(rec, r)
	var tokens httpauth.Tokens
	if err := json.NewDecoder(rec.Body).Decode(&tokens); err != nil || rec.Code != http.StatusOK {
		t.Fatalf("the login is answered with %d: %v", rec.Code, err)
	}
	if _, err := kit.Authorizer.Verify(t.Context(), tokens.AccessToken.Reveal(), paseto.Requirement{Implicit: implicit}); err != nil {
		t.Errorf("the token is refused: %v", err)
	}
}

func TestVerifyOnly(t *testing.T) {
	t.Parallel()
	issuing := open(t, with(func(c *config.Config) {
		c.Token.Purpose = "public"
		c.Token.Keys = []config.Key{{Value: paseto.NewSecret(secretKey)}}
	}))
	verifying := open(t, with(func(c *config.Config) {
		c.Token.Purpose, c.Token.VerifyOnly = "public", true
		c.Token.Keys = []config.Key{{Value: paseto.NewSecret(publicKey)}}
	}))
	token, err := issuing.Authorizer.IssueAccess(paseto.Grant{Subject: "alice"})
	if err != nil {
		t.Fatal(err)
	}
	if claims, err := verifying.Authorizer.Verify(t.Context(), token.Token.Reveal(), paseto.Requirement{}); err != nil || claims.Subject != "alice" {
		t.Errorf("Verify = %v, %v", claims, err)
	}
	if _, err := verifying.Authorizer.IssueAccess(paseto.Grant{}); !errors.Is(err, paseto.ErrConfig) {
		t.Errorf("a verifying kit issues: %v", err)
	}
}

// TestKeySources checks every form and place of a key.
func TestKeySources(t *testing.T) {
	file := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(file, []byte(" "+localKey+"\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TEST_PASETO_KEY", localKey)
	for name, key := range map[string]config.Key{
		"value": {Value: paseto.NewSecret(localKey)}, "upper case": {Value: paseto.NewSecret(strings.ToUpper(localKey))},
		"file": {File: file}, "env": {Env: "TEST_PASETO_KEY"},
		"PASERK": {Value: paseto.NewSecret("k4.local.cHFyc3R1dnd4eXp7fH1-f4CBgoOEhYaHiImKi4yNjo8")},
	} {
		kit := open(t, with(func(c *config.Config) { c.Token.Keys = []config.Key{key} }))
		token, err := kit.Authorizer.IssueAccess(paseto.Grant{Subject: "alice"})
		if err != nil {
			t.Fatal(err)
		}
		other := open(t, with(func(*config.Config) {}))
		if _, err := other.Authorizer.Verify(t.Context(), token.Token.Reveal(), paseto.Requirement{}); err != nil {
			t.Errorf("%s is another key: %v", name, err)
		}
	}
	large := filepath.Join(t.TempDir(), "large")
	if err := os.WriteFile(large, make([]byte, 1<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, key := range map[string]config.Key{
		"large file": {File: large}, "folder": {File: t.TempDir()}, "unset": {Env: "NO_SUCH_KEY"},
	} {
		cfg := with(func(c *config.Config) { c.Token.Keys = []config.Key{key} })
		if _, err := config.Open(t.Context(), cfg); !errors.Is(err, paseto.ErrConfig) {
			t.Errorf("%s: Open = %v", name, err)
		}
	}
}

// TestStores checks who closes which store.
func TestStores(t *testing.T) {
	t.Parallel()
	own := denylist.NewMemory()
	defer own.Close()
	kit := open(t, with(func(*config.Config) {}), config.WithStore(own))
	if kit.Store != own {
		t.Error("the given store is not used")
	}
	if err := kit.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := own.Revoked(t.Context(), denylist.Token{ID: "a"}); err != nil {
		t.Errorf("the caller's store was closed: %v", err)
	}

	kit = open(t, with(func(*config.Config) {}))
	if err := kit.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := kit.Store.Revoked(t.Context(), denylist.Token{ID: "a"}); !errors.Is(err, denylist.ErrClosed) {
		t.Errorf("the kit's own store is open after Close: %v", err)
	}

	kit = open(t, with(func(c *config.Config) { c.Denylist.Disabled = true }))
	if kit.Store != nil || kit.Authorizer.CanRevoke() {
		t.Error("there is a denylist although it is not enabled")
	}
}

// TestSecretsDoNotShow prints what a program configures and opens.
func TestSecretsDoNotShow(t *testing.T) {
	t.Parallel()
	cfg := with(func(c *config.Config) {
		config.RedisOf(c).Password, config.RedisOf(c).SentinelPassword = paseto.NewSecret("s3cret 1"), paseto.NewSecret("s3cret 2")
	})
	secrets := []string{localKey, "s3cret 1", "s3cret 2"}
	secrettest.Hides(t, *cfg, secrets...)
	secrettest.Hides(t, *open(t, cfg), secrets...)
	secrettest.Hides(t, cfg.Token.Keys[0], secrets...)
	secrettest.Hides(t, cfg.Denylist.Redis, secrets...)
	if text := fmt.Sprintf("%s %v", cfg.Token.Keys, config.RedisOf(cfg).Password); text != "[(redacted)] (redacted)" {
		t.Errorf("printed is %s", text)
	}
}

// TestOpenStoreSettings gives a store what are not its settings.
func TestOpenStoreSettings(t *testing.T) {
	t.Parallel()
	for name, given := range map[string]any{
		"none": nil, "a nil pointer": (*redis.Settings)(nil), "a value": redis.Settings{}, "of another store": new(bolt.Settings), "text": "localhost:6379",
	} {
		cfg := with(func(c *config.Config) { c.Denylist.Store, c.Denylist.Redis = "redis", given })
		_, err := config.Open(t.Context(), cfg)
		if want := `denylist.store = "redis": its settings are missing, or of another type`; !errors.Is(err, paseto.ErrConfig) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: Open = %v, want %s", name, err, want)
		}
	}
	if _, err := config.Open(t.Context(), nil); !errors.Is(err, paseto.ErrConfig) {
		t.Errorf("without a Config: Open = %v", err)
	}
}

func Example() {
	cfg := new(config.Config)
	cfg.Token.Keys = []config.Key{{Value: paseto.NewSecret("k4.local.cHFyc3R1dnd4eXp7fH1-f4CBgoOEhYaHiImKi4yNjo8")}}
	cfg.HTTP.Locations = []httpauth.Location{"header", "cookie"}
	kit, err := config.Open(context.Background(), cfg)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer kit.Close()

	pair, err := kit.Authorizer.IssuePair(paseto.Grant{Subject: "alice"})
	fmt.Println(pair.Access, pair.Refresh, err)
	// Output: access token (redacted) refresh token (redacted) <nil>
}

func ExampleLoad() {
	_, err := config.Load("/nonexistent/auth.yaml")
	fmt.Println(err)
	// Output: config: /nonexistent/auth.yaml: open /nonexistent/auth.yaml: no such file or directory
}
