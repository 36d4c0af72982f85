package httpauth_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
)

// A change of password ends all sessions of the user, on every device. The one that
// changes it goes on with the new pair in the answer.
func ExampleWeb_SendPair() {
	hashes := map[string]string{"ada": httpauth.HashPassword(paseto.NewSecret("engine"))}
	auth, web := newExample(httpauth.Config{})
	change := func(w http.ResponseWriter, r *http.Request) {
		user := paseto.FromContext(r.Context()).Subject
		var body struct{ Old, New paseto.Secret }
		err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 4096)).Decode(&body)
		if err == nil {
			err = httpauth.CheckPassword(hashes[user], body.Old)
		}
		if err != nil {
			httpauth.Refuse(w, httpauth.ErrCredentials, httpauth.Challenge{})
			return
		}
		hashes[user] = httpauth.HashPassword(body.New)
		pair, err := auth.ReplaceSessions(r.Context(), paseto.Grant{Subject: user, Scopes: []string{"read"}, Fresh: true})
		if err != nil {
			httpauth.Refuse(w, err, httpauth.Challenge{})
			return
		}
		web.SendPair(w, r, pair)
	}
	mux := http.NewServeMux()
	mux.Handle("POST /password", web.Require(paseto.Requirement{}, http.HandlerFunc(change)))
	mux.Handle("GET /me", web.Require(paseto.Requirement{}, http.HandlerFunc(whoami)))

	old, err := auth.IssueAccess(paseto.Grant{Subject: "ada"})
	if err != nil {
		fmt.Println(err)
		return
	}
	answer := httptest.NewRecorder()
	mux.ServeHTTP(answer, exampleRequest("POST", "/password", old.Token.Reveal(), `{"old":"engine","new":"difference"}`))
	var tokens httpauth.Tokens
	if err := json.Unmarshal(answer.Body.Bytes(), &tokens); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(answer.Code, tokens.TokenType)
	try(mux, "GET", "/me", old.Token.Reveal(), "")
	try(mux, "GET", "/me", tokens.AccessToken.Reveal(), "")
	// Output:
	// 200 Bearer
	// 401 {"type":"about:blank","title":"Unauthorized","status":401,"detail":"Token has been revoked","code":"token_revoked"}
	// 200 ada
}
