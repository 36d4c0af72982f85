package httpauth_test

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
)

// busyServer answers every request to one path with a refusal for load.
func busyServer(t *testing.T) (srv *httptest.Server, access, refresh string) {
	t.Helper()
	s := newSite(t, setup{store: closedStore()})
	access, refresh = s.pair(t)
	mux := http.NewServeMux()
	mux.Handle("/me", s.web.Require(paseto.Requirement{}, http.HandlerFunc(whoami)))
	mux.Handle("/optional", s.web.Require(paseto.Requirement{Optional: true}, http.HandlerFunc(whoami)))
	mux.Handle("/refresh", s.web.Refresh())
	mux.Handle("/logout", s.web.Logout())
	mux.Handle("/everywhere", s.web.LogoutEverywhere())
	mux.Handle("/ticket", s.web.Ticket())
	mux.HandleFunc("/limited", func(w http.ResponseWriter, _ *http.Request) {
		httpauth.WriteProblem(w, http.StatusTooManyRequests, &paseto.Error{Code: "limited", Message: "Too many requests"})
	})
	mux.HandleFunc("/keys", func(w http.ResponseWriter, _ *http.Request) {
		httpauth.Refuse(w, paseto.ErrKeysUnavailable, httpauth.Challenge{})
	})
	srv = httptest.NewUnstartedServer(mux)
	srv.EnableHTTP2 = true
	t.Cleanup(srv.Close)
	return srv, access, refresh
}

// TestRefusalsForLoad end the HTTP connection: a client that is refused is to cost less
// than one that is served. What is not the load's fault keeps it.
func TestRefusalsForLoad(t *testing.T) {
	t.Parallel()
	srv, access, refresh := busyServer(t)
	srv.Start()
	for _, test := range []struct {
		request string // method, path and token
		status  int
	}{
		{"GET /me " + access, 503},
		{"GET /optional " + access, 503},
		{"POST /refresh " + refresh, 503},
		{"POST /logout " + access, 503},
		{"POST /everywhere " + access, 503},
		{"POST /ticket " + access, 503},
		{"GET /keys x", 503},
		{"GET /limited x", 429},
		{"GET /me x", 401},
		{"GET /refresh x", 405},
		{"POST /me " + refresh, 401},
	} {
		parts := strings.Fields(test.request)
		t.Run(parts[0]+parts[1]+" "+http.StatusText(test.status), func(t *testing.T) {
			t.Parallel()
			resp, conn := exchange(t, srv, parts[0]+" "+parts[1]+" HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer "+parts[2]+"\r\nContent-Length: 0\r\n\r\n") //nolint:bodyclose // Closed there.
			if resp.StatusCode != test.status {
				t.Fatalf("status is %s, want %d", resp.Status, test.status)
			}
			if ends := test.status == 503 || test.status == 429; resp.Close != ends {
				t.Fatalf("the connection is to end: %t, want %t", resp.Close, ends)
			}
			if !resp.Close {
				return
			}
			if rest, err := io.ReadAll(conn); err != nil || len(rest) > 0 {
				t.Errorf("after the answer come %q and %v, want the end", rest, err)
			}
		})
	}
}

// TestRefusalsForLoadOverHTTP2 end the connection too: the next request needs a new one.
func TestRefusalsForLoadOverHTTP2(t *testing.T) {
	t.Parallel()
	srv, _, _ := busyServer(t)
	ended := make(chan struct{})
	srv.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateClosed {
			close(ended)
		}
	}
	srv.StartTLS()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, srv.URL+"/limited", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := srv.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	if resp.ProtoMajor != 2 || resp.StatusCode != http.StatusTooManyRequests {
		t.Fatalf("the answer is %s %s", resp.Proto, resp.Status)
	}
	if got := resp.Header.Get("Connection"); got != "" {
		t.Errorf("Connection is %q, which HTTP/2 forbids", got)
	}
	select {
	case <-ended:
	case <-time.After(30 * time.Second): // reached only by a test that fails
		t.Error("the connection is still open")
	}
}
