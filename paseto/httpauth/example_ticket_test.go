package httpauth_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
)

func ExampleWeb_LogoutEverywhere() {
	auth, web := newExample(httpauth.Config{})
	phone, err := auth.IssuePair(paseto.Grant{Subject: "ada"})
	if err != nil {
		log.Fatal(err)
	}
	laptop, err := auth.IssuePair(paseto.Grant{Subject: "ada"})
	if err != nil {
		log.Fatal(err)
	}
	try(web.LogoutEverywhere(), "POST", "/logout/everywhere", phone.Access.Token.Reveal(), "")
	// The other session is over too.
	try(web.Refresh(), "POST", "/refresh", laptop.Refresh.Token.Reveal(), "")
	// Output:
	// 204
	// 401 {"type":"about:blank","title":"Unauthorized","status":401,"detail":"Token has been revoked","code":"token_revoked"}
}

// The program's pages are of another origin than its server. Before a page of theirs
// asks for a ticket, its browser asks whether it may, by an OPTIONS request without any
// credential. CORS answers that; the mux has no route for it.
func ExampleWeb_CORS() {
	_, web := newExample(httpauth.Config{AllowedOrigins: []string{"https://app.example.com"}})
	mux := http.NewServeMux()
	mux.Handle("POST /ticket", web.Ticket(httpauth.WithTicketPath("/ws"), httpauth.WithTicketOrigin()))
	handler := web.CORS(mux) // for http.Server

	for _, origin := range []string{"https://app.example.com", "https://evil.example"} {
		r := httptest.NewRequestWithContext(context.Background(), http.MethodOptions, "/ticket", http.NoBody)
		r.Header.Set("Origin", origin)
		r.Header.Set("Access-Control-Request-Method", http.MethodPost)
		r.Header.Set("Access-Control-Request-Headers", "authorization")
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		fmt.Printf("%d %q\n", w.Code, w.Header().Get("Access-Control-Allow-Origin"))
	}
	// Output:
	// 204 "https://app.example.com"
	// 204 ""
}

// A page asks for a ticket and opens a WebSocket with it: the access token is
// in no URL. Package wsauth has the other half.
func ExampleWeb_Ticket() {
	auth, web := newExample(httpauth.Config{})
	ticket := web.Ticket(httpauth.WithTicketPath("/ws"), httpauth.WithTicketOrigin())

	access, err := auth.IssueAccess(paseto.Grant{Subject: "ada"})
	if err != nil {
		log.Fatal(err)
	}
	r := httptest.NewRequestWithContext(context.Background(), http.MethodPost, "/ticket", http.NoBody)
	r.Header.Set("Authorization", "Bearer "+access.Token.Reveal())
	r.Header.Set("Origin", "https://app.example.com") // as browsers do
	w := httptest.NewRecorder()
	ticket.ServeHTTP(w, r)
	var bought httpauth.Ticket
	if err := json.Unmarshal(w.Body.Bytes(), &bought); err != nil {
		log.Fatal(err)
	}
	fmt.Println(w.Code, bought.ExpiresIn, bought.Path, bought.Origin)
	fmt.Println(bought.Ticket)

	// A ticket is no token.
	try(ticket, "POST", "/ticket", bought.Ticket.Reveal(), "")
	// Output:
	// 200 30 /ws https://app.example.com
	// (redacted)
	// 401 {"type":"about:blank","title":"Unauthorized","status":401,"detail":"Access token required but ticket provided","code":"type_mismatch"}
}
