package wsauth_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/wsauth"
)

// stalled is a POST whose body does not come.
type stalled struct {
	conn   net.Conn
	answer *bufio.Reader
}

// stallPost sends such a POST, and returns when its handler waits for the body.
func stallPost(t *testing.T, srv *httptest.Server) stalled {
	t.Helper()
	conn, err := net.Dial("tcp", srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if _, err := fmt.Fprint(conn, "POST /slow HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	s := stalled{conn, bufio.NewReader(conn)}
	if line, err := s.answer.ReadString('\n'); err != nil || !strings.Contains(line, "100 Continue") {
		t.Fatalf("the answer begins with %q, %v", line, err)
	}
	if line, err := s.answer.ReadString('\n'); err != nil || line != "\r\n" {
		t.Fatalf("the answer goes on with %q, %v", line, err)
	}
	return s
}

// busy serves sockets at /ws and uploads at /slow, both with the guard's handler.
func busy(t *testing.T, guard *wsauth.Guard, serve wsauth.Handler) *httptest.Server {
	t.Helper()
	mux := http.NewServeMux()
	mux.Handle("/ws", guard.Require(paseto.Requirement{}, serve))
	mux.HandleFunc("POST /slow", func(w http.ResponseWriter, r *http.Request) {
		_, err := io.Copy(w, r.Body)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
		}
	})
	return listen(t, mux)
}

// TestShutdownTellsSocketsFirst, whatever HTTP does: one stalled request keeps no close
// from anybody. It is answered when its body comes after all.
func TestShutdownTellsSocketsFirst(t *testing.T) {
	t.Parallel()
	auth := newAuthorizer(t, paseto.Config{})
	guard := closable(t, auth, setup{})
	srv := busy(t, guard, echo)
	ws := connect(t, srv, bearer(access(t, auth, paseto.Grant{})))
	checkEcho(t, ws, "hello")
	post := stallPost(t, srv)

	done := make(chan error, 1)
	go func() { done <- guard.Shutdown(t.Context(), srv.Config, nil) }()
	checkClosed(t, ws, wsauth.CloseGoingAway, shuttingDown)
	select {
	case err := <-done:
		t.Fatalf("Shutdown returned %v with a request under way", err)
	default:
	}
	if _, err := io.WriteString(post.conn, "body"); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(post.answer, nil)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	if resp.StatusCode != http.StatusOK || string(body) != "body" {
		t.Errorf("the request is answered with %s %q, %v", resp.Status, body, err)
	}
	if err := wait(t, done, "Shutdown"); err != nil {
		t.Errorf("Shutdown returns %v", err)
	}
}
