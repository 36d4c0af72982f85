package httpauth_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
)

// newExample returns the parts of a program. Its key is new; a real one comes
// from the configuration and stays the same.
func newExample(cfg httpauth.Config) (*paseto.Authorizer, *httpauth.Web) {
	auth, err := paseto.New(
		paseto.Config{Keys: []paseto.Key{paseto.NewLocalKey()}},
		paseto.WithDenylist(denylist.NewMemory()),
	)
	if err != nil {
		log.Fatal(err)
	}
	web, err := httpauth.New(auth, cfg)
	if err != nil {
		log.Fatal(err)
	}
	return auth, web
}

func checkPassword(_ context.Context, c httpauth.Credentials) (paseto.Grant, error) {
	if c.Username != "ada" || c.Password.Reveal() != "engine" { // compare hashes instead
		return paseto.Grant{}, httpauth.ErrCredentials
	}
	return paseto.Grant{Subject: c.Username, Scopes: []string{"read"}}, nil
}

// exampleRequest returns a request with a token and a JSON body, where there are such.
func exampleRequest(method, target, token, text string) *http.Request {
	r := httptest.NewRequestWithContext(context.Background(), method, target, strings.NewReader(text))
	if text != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	return r
}

// try sends a request and prints the answer.
func try(h http.Handler, method, target, token, text string) {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, exampleRequest(method, target, token, text))
	fmt.Println(strings.TrimSpace(fmt.Sprintln(w.Code, w.Body)))
}

func ExampleWeb_Require() {
	auth, web := newExample(httpauth.Config{})
	mux := http.NewServeMux()
	mux.Handle("GET /me", web.Require(paseto.Requirement{}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprintf(w, "hello, %s", paseto.FromContext(r.Context()).Subject)
	})))
	mux.Handle("GET /admin", web.Require(paseto.Requirement{Scopes: []string{"admin"}},
		http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})))

	access, err := auth.IssueAccess(paseto.Grant{Subject: "ada"})
	if err != nil {
		log.Fatal(err)
	}
	try(mux, "GET", "/me", access.Token.Reveal(), "")
	try(mux, "GET", "/me", "", "")
	try(mux, "GET", "/admin", access.Token.Reveal(), "")
	// Output:
	// 200 hello, ada
	// 401 {"type":"about:blank","title":"Unauthorized","status":401,"detail":"PASETO Authorization Token required","code":"token_missing"}
	// 403 {"type":"about:blank","title":"Forbidden","status":403,"detail":"Token scope is not sufficient","code":"scope_insufficient"}
}

func ExampleWeb_Require_optional() {
	auth, web := newExample(httpauth.Config{})
	feed := web.Require(paseto.Requirement{Optional: true}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if claims := paseto.FromContext(r.Context()); !claims.Anonymous() {
			_, _ = fmt.Fprintf(w, "what %s follows", claims.Subject)
			return
		}
		_, _ = fmt.Fprint(w, "what is popular")
	}))

	access, err := auth.IssueAccess(paseto.Grant{Subject: "ada"})
	if err != nil {
		log.Fatal(err)
	}
	try(feed, "GET", "/feed", access.Token.Reveal(), "")
	try(feed, "GET", "/feed", "", "")
	// Output:
	// 200 what ada follows
	// 200 what is popular
}

func ExampleWeb_Middleware() {
	auth, web := newExample(httpauth.Config{})
	guard := web.Middleware(paseto.Requirement{}, httpauth.WithKey("X-Api-Token"), httpauth.WithPrefix(httpauth.NoScheme))
	files := guard(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, "files") }))

	access, err := auth.IssueAccess(paseto.Grant{Subject: "ada"})
	if err != nil {
		log.Fatal(err)
	}
	r := httptest.NewRequestWithContext(context.Background(), http.MethodGet, "/files", http.NoBody)
	r.Header.Set("X-Api-Token", access.Token.Reveal())
	w := httptest.NewRecorder()
	files.ServeHTTP(w, r)
	fmt.Println(w.Code, w.Body)
	// Output: 200 files
}

// A program that answers refusals itself authenticates by hand.
func ExampleWeb_Authenticate() {
	_, web := newExample(httpauth.Config{})
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		claims, err := web.Authenticate(r, paseto.Requirement{Fresh: true})
		if httpauth.Status(err) == http.StatusUnauthorized && err != nil {
			http.Redirect(w, r, "/login", http.StatusSeeOther)
			return
		}
		if err != nil {
			httpauth.Refuse(w, err, httpauth.Challenge{})
			return
		}
		_, _ = fmt.Fprintln(w, claims.Subject)
	})

	w := httptest.NewRecorder()
	handler.ServeHTTP(w, httptest.NewRequestWithContext(context.Background(), http.MethodPost, "/settings", http.NoBody))
	fmt.Println(w.Code, w.Header().Get("Location"))
	// Output: 303 /login
}

func ExampleWeb_Login() {
	_, web := newExample(httpauth.Config{})
	login := web.Login(checkPassword)

	try(login, "POST", "/login", "", `{"username":"ada","password":"wrong"}`)
	try(login, "POST", "/login", "", `{"username":"ada"}`)
	w := httptest.NewRecorder()
	r := httptest.NewRequestWithContext(context.Background(), http.MethodPost, "/login", strings.NewReader("username=ada&password=engine"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	login.ServeHTTP(w, r)
	fmt.Println(w.Code, w.Header().Get("Cache-Control"))
	// Output:
	// 401 {"type":"about:blank","title":"Unauthorized","status":401,"detail":"Bad username or password","code":"credentials_invalid"}
	// 400 {"type":"about:blank","title":"Bad Request","status":400,"detail":"Bad login. password is required, as a string","code":"body_invalid"}
	// 200 no-store
}

// With cookies alone, no script ever sees a token.
func ExampleWeb_Login_cookies() {
	_, web := newExample(httpauth.Config{
		Locations: []httpauth.Location{httpauth.LocationCookie},
		Cookie:    httpauth.CookieConfig{RefreshPath: "/refresh", SameSite: httpauth.SameSiteStrict},
	})
	w := httptest.NewRecorder()
	r := httptest.NewRequestWithContext(context.Background(), http.MethodPost, "/login", strings.NewReader("username=ada&password=engine"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	web.Login(checkPassword).ServeHTTP(w, r)
	fmt.Println(w.Code, w.Body)
	for _, c := range w.Result().Cookies() {
		c.Value = "token"
		fmt.Println(c)
	}
	// Output:
	// 200 {"token_type":"Bearer","expires_in":900,"scope":"read"}
	//
	// __Host-access_token=token; Path=/; HttpOnly; Secure; SameSite=Strict
	// __Secure-refresh_token=token; Path=/refresh; HttpOnly; Secure; SameSite=Strict
}

// identifier returns the jti of the access token in an answer.
func identifier(auth *paseto.Authorizer, w *httptest.ResponseRecorder) string {
	var tokens httpauth.Tokens
	if err := json.Unmarshal(w.Body.Bytes(), &tokens); err != nil {
		log.Fatal(err)
	}
	claims, err := auth.Verify(context.Background(), tokens.AccessToken.Reveal(), paseto.Requirement{})
	if err != nil {
		log.Fatal(err)
	}
	return claims.ID
}

func ExampleWeb_Refresh() {
	auth, web := newExample(httpauth.Config{})
	pair, err := auth.IssuePair(paseto.Grant{Subject: "ada"})
	if err != nil {
		log.Fatal(err)
	}
	body := fmt.Sprintf(`{"refresh_token":%q}`, pair.Refresh.Token.Reveal())

	w := httptest.NewRecorder()
	r := httptest.NewRequestWithContext(context.Background(), http.MethodPost, "/refresh", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	web.Refresh().ServeHTTP(w, r)
	fmt.Println(w.Code)
	// A refresh token works once, but for a client that repeats itself at once:
	// it gets the same pair again.
	again := httptest.NewRecorder()
	r = httptest.NewRequestWithContext(context.Background(), http.MethodPost, "/refresh", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	web.Refresh().ServeHTTP(again, r)
	fmt.Println(again.Code, identifier(auth, w) == identifier(auth, again))
	// Output:
	// 200
	// 200 true
}

func ExampleWeb_Logout() {
	auth, web := newExample(httpauth.Config{})
	pair, err := auth.IssuePair(paseto.Grant{Subject: "ada"})
	if err != nil {
		log.Fatal(err)
	}
	try(web.Logout(), "POST", "/logout", pair.Access.Token.Reveal(), "")
	// The other token of the session is revoked too.
	try(web.Refresh(), "POST", "/refresh", pair.Refresh.Token.Reveal(), "")
	// Output:
	// 204
	// 401 {"type":"about:blank","title":"Unauthorized","status":401,"detail":"Token has been revoked","code":"token_revoked"}
}

// exampleSecret is the secret half of a key pair that everybody knows.
const exampleSecret = "k4.secret.tMv7Q99M4hByfZU-SnEzB_oZu32fhQQUONnhG5QqN3Qeudu7vAR8A_1wYE4AcfCYfhayi3VyJcEfAEFdDiCxog"

func ExampleWeb_Keys() {
	key, err := paseto.ParseKey(exampleSecret)
	if err != nil {
		log.Fatal(err)
	}
	auth, err := paseto.New(paseto.Config{Purpose: paseto.Public, Keys: []paseto.Key{key}})
	if err != nil {
		log.Fatal(err)
	}
	web, err := httpauth.New(auth, httpauth.Config{})
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /keys", web.Keys())

	try(mux, "GET", "/keys", "", "")
	// Output:
	// 200 {"keys":[{"kid":"k4.pid.yh4-bJYjOYAG6CWy0zsfPmpKylxS7uAWrxqVmBN2KAiJ","paserk":"k4.public.Hrnbu7wEfAP9cGBOAHHwmH4Wsot1ciXBHwBBXQ4gsaI"}]}
}

// A service that holds no key verifies the tokens of another.
func ExampleNewRemoteKeys() {
	issuer, err := paseto.New(paseto.Config{
		Purpose: paseto.Public, Issuer: "login", Keys: []paseto.Key{paseto.NewSecretKey()},
	})
	if err != nil {
		log.Fatal(err)
	}
	login, err := httpauth.New(issuer, httpauth.Config{})
	if err != nil {
		log.Fatal(err)
	}
	access, err := issuer.IssueAccess(paseto.Grant{Subject: "ada"})
	if err != nil {
		log.Fatal(err)
	}
	server := httptest.NewServer(login.Keys()) // a real one is reached by https
	defer server.Close()

	keys, err := httpauth.NewRemoteKeys(server.URL)
	if err != nil {
		fmt.Println(err)
		return
	}
	verifier, err := paseto.New(paseto.Config{RequireIssuer: "login"}, paseto.WithKeySource(keys))
	if err != nil {
		fmt.Println(err)
		return
	}
	claims, err := verifier.Verify(context.Background(), access.Token.Reveal(), paseto.Requirement{})
	fmt.Println(claims.Subject, err)
	// Output: ada <nil>
}
