package main

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/pasetokit/pasetokit/paseto/httpauth"
	"github.com/pasetokit/pasetokit/wsauth"
)

//go:embed page
var assets embed.FS

// addPage adds the page of the chat. It is told its server's origin, or nothing
// if that is its own.
func addPage(mux *http.ServeMux, server string) {
	var html bytes.Buffer
	if err := template.Must(template.ParseFS(assets, "page/page.html")).Execute(&html, server); err != nil {
		panic(err) // the page is part of the program
	}
	mux.HandleFunc("GET /{$}", file("page.html", html.Bytes()))
	mux.HandleFunc("GET /closures.js", file("closures.js", closures()))
	entries, err := assets.ReadDir("page")
	for _, entry := range entries { // styles and modules
		var content []byte
		if content, err = assets.ReadFile("page/" + entry.Name()); entry.Name() != "page.html" {
			mux.HandleFunc("GET /"+entry.Name(), file(entry.Name(), content))
		}
	}
	if err != nil {
		panic(err) // as above
	}
}

// file serves one file of the page.
func file(name string, content []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-cache")
		http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(content))
	}
}

// closures returns a module with what closes a socket and what the page is to do
// then: the guard's own table, and the chat's one addition to it.
func closures() []byte {
	type closure struct {
		Reason    string             `json:"reason"`
		Codes     []wsauth.CloseCode `json:"codes"`
		Reconnect httpauth.Reconnect `json:"reconnect"`
	}
	table := []closure{{loggedOutReason, []wsauth.CloseCode{closeLoggedOut}, httpauth.ReconnectNever}}
	for _, c := range wsauth.Closures() {
		table = append(table, closure{c.Cause.Message(), []wsauth.CloseCode{c.Standard, c.Private, c.GraphQLWS}, c.Reconnect})
	}
	return fmt.Appendf(nil, "export const closures = %s;\nexport const loggedOut = %d;\n", encode(table), closeLoggedOut)
}

// secured sets what keeps a page's tokens in the page: nothing runs on it that
// is not of this server, and nothing is asked by it but its server.
func secured(server string, next http.Handler) http.Handler {
	connect := "'self'"
	if server != "" {
		connect = server + " ws" + strings.TrimPrefix(server, "http")
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; "+
			"connect-src "+connect+"; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		next.ServeHTTP(w, r)
	})
}

// checkServer reports what is wrong with the origin of another server.
func checkServer(server string) error {
	u, err := url.Parse(server)
	origins := wsauth.Config{AllowedOrigins: []string{server}}
	if err != nil || origins.Validate() != nil || strings.Contains(server, "*") || u.Scheme != "http" && u.Scheme != "https" {
		return fmt.Errorf("-server %.128q is not an origin; expected one such as http://127.0.0.1:8080, and nothing after it", server)
	}
	return nil
}
