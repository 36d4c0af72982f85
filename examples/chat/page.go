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

	"github.com/pasetokit/pasetokit/wsauth"
)

//go:embed page.html page.css page.js
var assets embed.FS

// addPage adds the page of the chat. It is told its server's origin, or nothing
// if that is its own.
func addPage(mux *http.ServeMux, server string) {
	var html bytes.Buffer
	if err := template.Must(template.ParseFS(assets, "page.html")).Execute(&html, server); err != nil {
		panic(err) // the page is part of the program
	}
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-cache")
		http.ServeContent(w, r, "page.html", time.Time{}, bytes.NewReader(html.Bytes()))
	})
	mux.Handle("GET /page.css", asset("page.css"))
	mux.Handle("GET /page.js", asset("page.js"))
}

// asset serves one embedded file.
func asset(name string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-cache")
		http.ServeFileFS(w, r, assets, name)
	}
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
	if err != nil || wsauth.ValidateOrigin(server) != nil || strings.Contains(server, "*") ||
		u.Scheme != "http" && u.Scheme != "https" {
		return fmt.Errorf("-server %.128q is not an origin; expected one such as http://127.0.0.1:8080, and nothing after it", server)
	}
	return nil
}
