package httpauth_test

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
)

// TestLogHasNoSecrets refuses requests in every way there is, and looks for
// what was sent in the log.
func TestLogHasNoSecrets(t *testing.T) {
	t.Parallel()
	s := newSite(t, setup{auth: paseto.Config{RequireIssuer: "here", Issuer: "here", AllowNoExpiry: true, MaxTTL: paseto.NoExpiry}})
	log := &logBuffer{}
	cfg := httpauth.Config{Locations: []httpauth.Location{httpauth.LocationHeader, httpauth.LocationCookie, httpauth.LocationJSON}}
	newWeb := func(handler slog.Handler, auth *paseto.Authorizer) *httpauth.Web {
		return must(httpauth.New(auth, cfg, httpauth.WithLogger(slog.New(handler))))
	}
	const password = "correct-horse-battery"
	access, refresh := s.pair(t)
	foreign := s.access(t, paseto.Grant{Issuer: "there", Implicit: []byte("x")})
	gone := s.access(t, paseto.Grant{Session: "gone"})
	if err := s.auth.RevokeSession(t.Context(), "gone"); err != nil {
		t.Fatal(err)
	}
	secrets := []string{password}
	for _, token := range []string{access, refresh, foreign, gone} {
		// A piece of a token is as bad as all of it.
		secrets = append(secrets, token, token[len("v4.local."):][:16], token[len(token)-16:])
	}
	down := newSite(t, setup{store: closedStore()})
	downAccess := down.access(t, paseto.Grant{})

	// Each request has an address of its own, and so its share of the log.
	from := 0
	asAnyone := func(r *http.Request) { from++; r.RemoteAddr = fmt.Sprintf("192.0.2.%d:1", from) }
	get := func(t *testing.T, h http.Handler, parts ...part) answer {
		t.Helper()
		return get(t, h, append(parts, asAnyone)...)
	}
	post := func(t *testing.T, h http.Handler, parts ...part) answer {
		t.Helper()
		return post(t, h, append(parts, asAnyone)...)
	}
	refusals := 0
	for _, handler := range []slog.Handler{slog.NewTextHandler(log, nil), slog.NewJSONHandler(log, nil)} {
		web := newWeb(handler, s.auth)
		route := web.Require(paseto.Requirement{}, http.HandlerFunc(whoami))
		admin := web.Require(paseto.Requirement{Scopes: []string{"admin"}, Check: refuseWith(errors.New("no"))}, http.HandlerFunc(whoami))
		fresh := web.Require(paseto.Requirement{Type: paseto.TypeRefresh}, http.HandlerFunc(whoami))
		login := web.Login(failing(httpauth.ErrCredentials))
		refused := []answer{
			get(t, route, header("Authorization", access)),
			get(t, route, header("Authorization", "Bearer "+access+" "+access)),
			get(t, route, bearer(access), bearer(refresh)),
			get(t, route, bearer(access), cookie("__Host-access_token", access)),
			get(t, route, cookie("__Host-access_token", access+" "+access)),
			get(t, route, bearer(refresh)),
			get(t, route, bearer(foreign)),
			get(t, route, bearer(gone)),
			get(t, route, bearer(downAccess)),
			get(t, route, bearer("v9"+access)),
			get(t, route, bearer(access+"."+access)),
			get(t, route, bearer(access+"AAAA")),
			get(t, admin, bearer(access)),
			get(t, fresh, bearer(access)),
			post(t, route, object("access_token", "Bearer "+access)),
			post(t, route, body(asJSON, `{"access_token":"`+access+`","access_token":"`+refresh+`"}`)),
			post(t, route, body(asJSON, `{"access_token":"`+access)),
			post(t, route, cookie("__Host-access_token", access), header("Sec-Fetch-Site", "cross-site")),
			post(t, web.Refresh(), bearer(access)),
			post(t, web.Refresh(), object("refresh_token", "x"+refresh)),
			post(t, web.Refresh(), body(asForm, "refresh_token="+refresh+"&refresh_token="+refresh)),
			post(t, web.Refresh(), body(asForm, "refresh_token="+refresh+"%")),
			post(t, web.Logout(), bearer(foreign)),
			post(t, web.Logout(), bearer(gone)),
			post(t, login, body(asForm, "username=alice&password="+password)),
			post(t, login, body(asForm, "username=alice&password="+password+"&password="+password)),
			post(t, login, body(asForm, "username=&password="+password)),
			post(t, login, body(asForm, "username=alice&password="+password+";")),
			post(t, login, body(asJSON, `{"username":"alice","password":"`+password)),
			post(t, login, body(asJSON, `{"password":"`+password+`","password":"`+password+`"}`)),
			post(t, login, object("password", strings.Repeat(password, 100))),
			post(t, newWeb(handler, down.auth).Require(paseto.Requirement{}, http.HandlerFunc(whoami)), bearer(downAccess)),
			post(t, web.Login(failing(errors.New("database is away"))), body(asForm, "username=alice&password="+password)),
		}
		for i, a := range refused {
			if a.status < http.StatusBadRequest {
				t.Errorf("request %d is answered with %d; a refusal was meant", i, a.status)
			}
			for _, secret := range secrets {
				if strings.Contains(a.body, secret) {
					t.Errorf("answer %d shows a secret: %s", i, a.body)
				}
			}
		}
		refusals += len(refused)
	}
	text := log.String()
	if lines := strings.Count(text, "\n"); lines != refusals {
		t.Errorf("%d lines are logged for %d refusals", lines, refusals)
	}
	for _, secret := range secrets {
		if at := strings.Index(text, secret); at >= 0 {
			t.Errorf("the log shows a secret: %.300s", text[max(0, at-200):])
		}
	}
	for _, want := range []string{"code=token_revoked", "code=credentials_invalid", "database is away", `"code":"denylist_unavailable"`, "path=/", "remote="} {
		if !strings.Contains(text, want) {
			t.Errorf("the log lacks %q", want)
		}
	}
}

// TestLogHasNoPieceOfAPassword sends a form whose percent sign is not encoded,
// as a careless client does with the password "100%secret".
func TestLogHasNoPieceOfAPassword(t *testing.T) {
	t.Parallel()
	s := newSite(t, setup{})
	a := post(t, s.web.Login(accept), body(asForm, "username=alice&password=100%secret"))
	if a.status != http.StatusBadRequest {
		t.Errorf("status is %d, want 400", a.status)
	}
	if log := s.log.String(); strings.Contains(log, "%se") {
		t.Errorf("the log shows a piece of the password: %s", log)
	}
}

func TestLogTellsWhy(t *testing.T) {
	t.Parallel()
	s := newSite(t, setup{auth: paseto.Config{RequireIssuer: "here"}})
	a := get(t, s.web.Require(paseto.Requirement{}, http.HandlerFunc(whoami)), bearer(s.access(t, paseto.Grant{Issuer: "there"})))
	if strings.Contains(a.body, "there") {
		t.Errorf("the client is told what only the log should: %s", a.body)
	}
	for _, want := range []string{"level=INFO", `msg="request refused"`, "code=issuer_invalid", "there", "method=GET", "path=/", "status=401"} {
		if log := s.log.String(); !strings.Contains(log, want) {
			t.Errorf("the log lacks %s: %s", want, log)
		}
	}
}
