package httpauth_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
)

// accept logs everyone in.
func accept(_ context.Context, c httpauth.Credentials) (paseto.Grant, error) {
	return paseto.Grant{Subject: c.Username}, nil
}

// granting returns a login function that gives everyone this grant.
func granting(g paseto.Grant) httpauth.LoginFunc {
	return func(context.Context, httpauth.Credentials) (paseto.Grant, error) { return g, nil }
}

const passwordForm = "username=alice&password=secret"

func TestLogin(t *testing.T) {
	t.Parallel()
	for name, send := range map[string]part{
		"JSON":        body(asJSON, `{"username":"alice","password":" p ä\n","remember":true}`),
		"JSON suffix": body("application/x.login+json", `{"username":"alice","password":" p ä\n"}`),
		"form":        body(asForm+"; charset=utf-8", "username=alice&password=+p+%C3%A4%0A&csrf=1"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, setup{})
			var got httpauth.Credentials
			a := post(t, s.web.Login(func(_ context.Context, c httpauth.Credentials) (paseto.Grant, error) {
				got = c
				return paseto.Grant{Subject: c.Username, Scopes: []string{"read", "write"}}, nil
			}), send)
			if name, password := got.Username, got.Password.Reveal(); name != "alice" || password != " p ä\n" {
				t.Errorf("the credentials are not those that were sent: %q", []string{name, password})
			}
			pair := tokens(t, a)
			if pair.TokenType != "Bearer" || pair.ExpiresIn != 15*60 || pair.Scope != "read write" {
				t.Errorf("the answer is %+v", pair)
			}
			if len(a.cookies) != 0 {
				t.Errorf("cookies are set: %v", a.cookies)
			}

			access, err := s.auth.Verify(t.Context(), pair.AccessToken.Reveal(), paseto.Requirement{Fresh: true, Scopes: []string{"read", "write"}})
			if err != nil {
				t.Fatalf("the access token is refused: %v", err)
			}
			refresh, err := s.auth.Verify(t.Context(), pair.RefreshToken.Reveal(), paseto.Requirement{Type: paseto.TypeRefresh})
			if err != nil {
				t.Fatalf("the refresh token is refused: %v", err)
			}
			if access.Subject != "alice" || access.Session == "" || access.Session != refresh.Session {
				t.Errorf("the tokens say %+v and %+v", access, refresh)
			}
		})
	}
}

func TestLoginAnswer(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		setup setup
		grant paseto.Grant
		want  string // the answer after the tokens
	}{
		{"defaults", setup{}, paseto.Grant{}, `"token_type":"Bearer","expires_in":900}`},
		{"lifetime of the grant", setup{}, paseto.Grant{TTL: time.Hour}, `"token_type":"Bearer","expires_in":3600}`},
		{
			"no expiry", setup{auth: paseto.Config{AllowNoExpiry: true, MaxTTL: paseto.NoExpiry}},
			paseto.Grant{TTL: paseto.NoExpiry}, `"token_type":"Bearer"}`,
		},
		{"scheme", setup{web: httpauth.Config{HeaderScheme: "PASETO"}}, paseto.Grant{}, `"token_type":"PASETO","expires_in":900}`},
		{"no scheme", setup{web: httpauth.Config{HeaderScheme: httpauth.NoScheme}}, paseto.Grant{}, `"token_type":"Bearer","expires_in":900}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, test.setup)
			a := post(t, s.web.Login(granting(test.grant)), body(asForm, passwordForm))
			got := tokens(t, a)
			want := `{"access_token":"` + got.AccessToken.Reveal() + `","refresh_token":"` + got.RefreshToken.Reveal() + `",` + test.want + "\n"
			if a.body != want {
				t.Errorf("answer is\n%s want\n%s", a.body, want)
			}
		})
	}
}

func TestBadLogins(t *testing.T) {
	t.Parallel()
	const (
		noName     = "username is required, as a string"
		noPassword = "password is required, as a string"
	)
	bad := func(detail string) problem {
		return problem{status: http.StatusBadRequest, code: "body_invalid", detail: detail}
	}
	notObject := bad("Bad request body. Expected a JSON object")
	media := problem{
		status: http.StatusUnsupportedMediaType, code: "media_type_unsupported",
		detail: "Expected a body of type application/json or application/x-www-form-urlencoded",
	}
	long := strings.Repeat("ä", 1024)
	for _, test := range []struct {
		name string
		send part
		want problem
	}{
		{"no body", func(*http.Request) {}, bad("Bad login. " + noName + "; " + noPassword)},
		{"empty object", body(asJSON, `{}`), bad("Bad login. " + noName + "; " + noPassword)},
		{"no password", body(asJSON, `{"username":"alice"}`), bad("Bad login. " + noPassword)},
		{"empty user name", body(asForm, "username=&password=x"), bad("Bad login. " + noName)},
		{"name in capitals", body(asJSON, `{"Username":"alice","password":"x"}`), bad("Bad login. " + noName)},
		{"number", body(asJSON, `{"username":5,"password":"x"}`), bad("Bad login. " + noName)},
		{"null", body(asJSON, `{"username":"alice","password":null}`), bad("Bad login. " + noPassword)},
		{"list", body(asJSON, `{"username":["alice"],"password":"x"}`), bad("Bad login. " + noName)},
		{"user name of 257 characters", body(asJSON, `{"username":"`+long[:2*257]+`","password":"x"}`), bad("Bad login. username is longer than 256 characters")},
		{"password of 1025 characters", body(asForm, "username=a&password=b"+long), bad("Bad login. password is longer than 1024 characters")},

		{"duplicate member", body(asJSON, `{"username":"alice","username":"bob","password":"x"}`), notObject},
		{"half of a surrogate pair", body(asJSON, `{"username":"bob\ud800","password":"x"}`), notObject},
		{"the other half", body(asJSON, `{"username":"bob\udc01","password":"x"}`), notObject},
		{"half of a pair in a password", body(asJSON, `{"username":"bob","password":"x\ud800"}`), notObject},
		{"half of a pair in another member", body(asJSON, `{"username":"bob","password":"x","\ud800":{}}`), notObject},
		{"array", body(asJSON, `["alice","x"]`), notObject},
		{"broken JSON", body(asJSON, `{"username":"alice"`), notObject},
		{"not UTF-8", body(asJSON, "{\"username\":\"\xff\",\"password\":\"x\"}"), notObject},
		{"duplicate field", body(asForm, "username=alice&username=bob&password=x"), bad("Bad request body. A form field is given twice")},
		{"JSON as a form", body(asForm, `{"username":"alice","password":"x"}`), bad("Bad request body. For JSON, send Content-Type: application/json")},
		{"broken form", body(asForm, "username=alice&password=%zz"), bad("Bad request body. Expected a form")},

		{"text", body("text/plain", `{"username":"alice","password":"x"}`), media},
		{"multipart", body("multipart/form-data; boundary=x", "--x--"), media},
		{"no media type", body("", `{"username":"alice","password":"x"}`), media},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, setup{})
			handler := s.web.Login(func(context.Context, httpauth.Credentials) (paseto.Grant, error) {
				t.Error("the login function is asked")
				return paseto.Grant{}, nil
			})
			checkProblem(t, post(t, handler, test.send), test.want)
		})
	}

	t.Run("the longest credentials", func(t *testing.T) {
		t.Parallel()
		s := newSite(t, setup{})
		tokens(t, post(t, s.web.Login(granting(paseto.Grant{})), body(asForm, "username="+long[:2*256]+"&password="+long)))
	})
}

func TestOnlyPOST(t *testing.T) {
	t.Parallel()
	s := newSite(t, setup{})
	want := problem{status: http.StatusMethodNotAllowed, code: "method_not_allowed", detail: "Expected method POST"}
	for name, handler := range map[string]http.Handler{
		"login": s.web.Login(accept), "refresh": s.web.Refresh(), "logout": s.web.Logout(),
		"logout everywhere": s.web.LogoutEverywhere(), "ticket": s.web.Ticket(),
	} {
		for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodDelete, http.MethodOptions} {
			t.Run(name+" "+method, func(t *testing.T) {
				access, _ := s.pair(t)
				a := send(t, handler, method, body(asForm, passwordForm), bearer(access))
				checkProblem(t, a, want)
				if a.header.Get("Allow") != http.MethodPost {
					t.Errorf("Allow is %q, want POST", a.header.Get("Allow"))
				}
			})
		}
	}
}

func TestRefusedLogins(t *testing.T) {
	t.Parallel()
	internal := problem{status: http.StatusInternalServerError, code: "server_error", detail: "The server could not answer the request"}
	for _, test := range []struct {
		name  string
		check httpauth.LoginFunc
		want  problem
	}{
		{"credentials", failing(httpauth.ErrCredentials), refusal(http.StatusUnauthorized, httpauth.ErrCredentials, noCredential)},
		{"credentials with a cause", failing(fmt.Errorf("alice: %w", httpauth.ErrCredentials)), refusal(http.StatusUnauthorized, httpauth.ErrCredentials, noCredential)},
		{
			"refusal of its own", failing(&paseto.Error{Code: "locked", Message: "Account locked", Cause: errors.New("dsn=hush")}),
			problem{status: http.StatusForbidden, code: "locked", detail: "Account locked"},
		},
		{"failure", failing(errors.New("dsn=hush")), internal},
		{"time out", failing(fmt.Errorf("dsn=hush: %w", context.DeadlineExceeded)), unavailable},
		{"grant that cannot be issued", granting(paseto.Grant{Claims: map[string]any{"exp": 1}}), internal},
		{"grant that is too long", granting(paseto.Grant{Claims: map[string]any{"a": strings.Repeat("a", 9000)}}), internal},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, setup{web: httpauth.Config{Locations: []httpauth.Location{httpauth.LocationCookie}}})
			a := post(t, s.web.Login(test.check), body(asForm, passwordForm))
			checkProblem(t, a, test.want)
			if strings.Contains(a.body, "hush") || len(a.cookies) > 0 {
				t.Errorf("answer is %s with cookies %v", a.body, a.cookies)
			}
			level := "level=INFO"
			if test.want.status >= http.StatusInternalServerError {
				level = "level=ERROR"
			}
			if log := s.log.String(); strings.Count(log, "\n") != 1 || !strings.Contains(log, level) || !strings.Contains(log, "code="+string(test.want.code)) {
				t.Errorf("logged is %q, want one line with %s", log, level)
			}
		})
	}
}

func failing(err error) httpauth.LoginFunc {
	return func(context.Context, httpauth.Credentials) (paseto.Grant, error) { return paseto.Grant{}, err }
}
