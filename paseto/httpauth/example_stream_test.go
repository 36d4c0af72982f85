package httpauth_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
)

// A client follows events until its user logs out, here or on another server that shares the
// denylist.
func ExampleEvents() {
	auth, web := newExample(httpauth.Config{})
	defer func() { _ = web.Keeper().Shutdown(context.Background()) }()
	server := httptest.NewServer(web.Stream(paseto.Requirement{}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		events, err := httpauth.Events(r)
		if err != nil {
			http.Error(w, "there are no events here", http.StatusInternalServerError)
			return
		}
		_ = events.Send(httpauth.Event{ID: "1", Type: "greeting", Data: "hello, " + paseto.FromContext(r.Context()).Subject})
		<-r.Context().Done() // send what there is until then
	})))
	defer server.Close()

	access, err := auth.IssueAccess(paseto.Grant{Subject: "ada"})
	if err != nil {
		fmt.Println(err)
		return
	}
	res := follow(server.URL, access.Token)
	defer func() { _ = res.Body.Close() }()
	for lines := bufio.NewScanner(res.Body); lines.Scan(); {
		fmt.Println(lines.Text())
		if lines.Text() == "data: hello, ada" {
			if err := auth.RevokeSubject(context.Background(), "ada", time.Now()); err != nil {
				fmt.Println(err)
				return
			}
		}
	}
	// Output:
	// id: 1
	// event: greeting
	// data: hello, ada
	//
	// event: end
	// data: {"code":"token_revoked","message":"Token has been revoked","reconnect":"refreshed"}
	//
}

// A download ends with its right. It is an error for the client then, and never looks
// complete.
func ExampleWeb_Stream() {
	auth, web := newExample(httpauth.Config{})
	defer func() { _ = web.Keeper().Shutdown(context.Background()) }()
	server := httptest.NewServer(web.Stream(paseto.Requirement{}, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for {
			if _, err := io.WriteString(w, "and so on\n"); err != nil {
				fmt.Println("server:", err)
				return
			}
			_ = http.NewResponseController(w).Flush()
		}
	})))
	defer server.Close()

	access, err := auth.IssueAccess(paseto.Grant{Subject: "ada"})
	if err != nil {
		fmt.Println(err)
		return
	}
	res := follow(server.URL, access.Token)
	defer func() { _ = res.Body.Close() }()
	if err := auth.Revoke(context.Background(), access.Claims); err != nil {
		fmt.Println(err)
		return
	}
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		fmt.Println("client: the download is not complete")
	}
	// Unordered output:
	// server: paseto: Token has been revoked
	// client: the download is not complete
}

// A client renews what its session has open, after a refresh.
func ExampleWeb_Renew() {
	auth, web := newExample(httpauth.Config{})
	defer func() { _ = web.Keeper().Shutdown(context.Background()) }()
	mux := http.NewServeMux()
	mux.Handle("GET /events", web.Stream(paseto.Requirement{}, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if _, err := httpauth.Events(r); err == nil {
			<-r.Context().Done()
		}
	})))
	mux.Handle("POST /renew", web.Renew())
	server := httptest.NewServer(mux)
	defer server.Close()

	pair, err := auth.IssuePair(paseto.Grant{Subject: "ada"})
	if err != nil {
		fmt.Println(err)
		return
	}
	res := follow(server.URL+"/events", pair.Access.Token)
	defer func() { _ = res.Body.Close() }()

	next, err := auth.Refresh(context.Background(), pair.Refresh.Token.Reveal(), paseto.Requirement{}) // most often by POST
	if err != nil {
		fmt.Println(err)
		return
	}
	answer := httptest.NewRecorder()
	mux.ServeHTTP(answer, exampleRequest("POST", "/renew", next.Access.Token.Reveal(), ""))
	var renewal httpauth.Renewal
	if err := json.NewDecoder(answer.Body).Decode(&renewal); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(answer.Code, "renewed:", renewal.Renewed, "until the new token expires:", renewal.ExpiresAt.Equal(next.Access.Claims.ExpiresAt))
	// Output:
	// 200 renewed: 1 until the new token expires: true
}

// follow begins to read a stream.
func follow(url string, token paseto.Secret) *http.Response {
	r, err := http.NewRequestWithContext(context.Background(), http.MethodGet, url, http.NoBody)
	if err != nil {
		log.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token.Reveal())
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		log.Fatal(err)
	}
	return res
}
