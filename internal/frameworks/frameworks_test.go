package frameworks

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/gorilla/websocket"
	"go.uber.org/goleak"

	"github.com/pasetokit/pasetokit/config"
	"github.com/pasetokit/pasetokit/internal/doctest"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
)

func TestMain(m *testing.M) {
	gin.SetMode(gin.ReleaseMode)
	goleak.VerifyTestMain(m)
}

// TestDocument checks that docs/http.md shows the code of this package.
func TestDocument(t *testing.T) {
	t.Parallel()
	doctest.CheckFiles(t, "docs/http.md", "chi.go", "gin.go", "echo.go")
}

// TestRoutes asks the same of each router.
func TestRoutes(t *testing.T) {
	t.Parallel()
	for name, routes := range map[string]func(*config.Kit, httpauth.LoginFunc) http.Handler{
		"chi": chiRoutes, "gin": ginRoutes, "echo": echoRoutes,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, routes)
			alice, bob := s.login("alice"), s.login("bob")
			for _, test := range []struct {
				method, path, token string
				status              int
				answer              string
			}{
				{"GET", "/projects/7/", alice, 200, `"7 of alice"`},
				{"GET", "/projects/7/", bob, 403, "insufficient_scope"},
				{"GET", "/projects/7/", "", 401, "token_missing"},
				{"POST", "/login", "", 400, "body_invalid"},
				{"GET", "/ws/lobby", alice, 426, "upgrade_required"},
			} {
				header := http.Header{}
				if test.token != "" {
					header.Set("Authorization", "Bearer "+test.token)
				}
				status, answer, challenge := s.ask(test.method, test.path, "", header)
				if status != test.status || !strings.Contains(answer+challenge, test.answer) || status != 200 && strings.Contains(answer, " of ") {
					t.Errorf("%s %s: %d %q %q, want %d with %q", test.method, test.path, status, answer, challenge, test.status, test.answer)
				}
			}
			if got := s.socket("/ws/lobby", alice); got != "alice is in lobby" {
				t.Errorf("the socket says %q", got)
			}
			preflight := http.Header{"Origin": {"https://app.example.com"}, "Access-Control-Request-Method": {"POST"}}
			if status, answer, _ := s.ask("OPTIONS", "/login", "", preflight); status != http.StatusNoContent {
				t.Errorf("the preflight is answered with %d %q", status, answer)
			}
		})
	}
}

// server serves the routes of a router.
type server struct {
	*httptest.Server
	t *testing.T
}

func start(t *testing.T, routes func(*config.Kit, httpauth.LoginFunc) http.Handler) server {
	t.Helper()
	cfg := new(config.Config)
	cfg.Token.Keys = []config.Key{{Value: paseto.NewSecret(paseto.NewLocalKey().Export())}}
	cfg.HTTP.AllowedOrigins = []string{"https://app.example.com"}
	cfg.HTTP.Stream.Grace = time.Millisecond
	kit, err := config.Open(t.Context(), cfg, config.WithConnContext(withRoom))
	if err != nil {
		t.Fatal(err)
	}
	check := func(_ context.Context, c httpauth.Credentials) (paseto.Grant, error) {
		grant := paseto.Grant{Subject: c.Username}
		if c.Username == "alice" {
			grant.Scopes = []string{"projects"}
		}
		return grant, nil
	}
	s := server{httptest.NewServer(routes(kit, check)), t}
	t.Cleanup(func() {
		if err := kit.HTTP.Keeper().Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
		s.Close()
		if err := kit.Guard.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
		_ = kit.Close()
	})
	return s
}

// ask sends a request and returns the status, body and challenge of the answer.
func (s server) ask(method, path, body string, header http.Header) (status int, answer, challenge string) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.URL+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header = header
	got, err := s.Client().Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = got.Body.Close() }()
	text, err := io.ReadAll(got.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return got.StatusCode, string(text), got.Header.Get("WWW-Authenticate")
}

// login returns the access token of a user.
func (s server) login(user string) string {
	s.t.Helper()
	var answer struct {
		Token string `json:"access_token"`
	}
	form := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
	status, body, _ := s.ask("POST", "/login", "password=demo&username="+user, form)
	if err := json.Unmarshal([]byte(body), &answer); err != nil || answer.Token == "" {
		s.t.Fatalf("the login is answered with %d %s, %v", status, body, err)
	}
	return answer.Token
}

// socket opens a socket and returns its first message.
func (s server) socket(path, token string) string {
	s.t.Helper()
	conn, got, err := websocket.DefaultDialer.DialContext(s.t.Context(), "ws"+strings.TrimPrefix(s.URL, "http")+path, http.Header{"Authorization": {"Bearer " + token}})
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_ = got.Body.Close()
	_, message, err := conn.ReadMessage()
	if err != nil {
		s.t.Fatal(err)
	}
	return string(message)
}
