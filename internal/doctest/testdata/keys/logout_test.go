package main

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/pasetokit/pasetokit/config"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/wsauth"
)

// TestLogoutReachesVerifiers logs out at the issuer. The services that only verify, one with keys that it fetches and one with
// keys in a file, refuse the token then, and close its sockets.
func TestLogoutReachesVerifiers(t *testing.T) {
	secret := paseto.NewSecretKey()
	public, err := secret.PublicKey()
	check(t, err)
	check(t, os.WriteFile("login.key", []byte(secret.Export()), 0o600))
	check(t, os.WriteFile("login.pub", []byte(public.Export()), 0o600))

	opened := func(kit *config.Kit, err error) *config.Kit {
		t.Helper()
		check(t, err)
		t.Cleanup(func() {
			check(t, kit.Guard.Shutdown(context.Background()))
			check(t, kit.Close())
		})
		return kit
	}
	issuer := opened(open(t.Context(), "issuer.yaml"))
	mux := http.NewServeMux()
	mux.Handle("GET /keys", issuer.HTTP.Keys())
	mux.Handle("POST /logout", issuer.HTTP.Logout())
	login := httptest.NewUnstartedServer(mux)
	check(t, login.Listener.Close())
	login.Listener, err = net.Listen("tcp", os.Getenv("ADDRESS"))
	check(t, err)
	login.Start()
	defer login.Close()

	services := map[string]*config.Kit{"fetches": opened(verifier(t.Context())), "offline": opened(open(t.Context(), "offline.yaml"))}
	pair, err := issuer.Authorizer.IssuePair(paseto.Grant{Subject: "alice"})
	check(t, err)
	authorization := http.Header{"Authorization": {"Bearer " + pair.Access.Token.Reveal()}}
	request := func(method, url string) (int, string) {
		t.Helper()
		r, err := http.NewRequest(method, url, nil)
		check(t, err)
		r.Header = authorization
		response, err := http.DefaultClient.Do(r)
		check(t, err)
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		check(t, err)
		return response.StatusCode, string(body)
	}

	urls, sockets := make(map[string]string), make(map[string]*websocket.Conn)
	for name, kit := range services {
		mux := http.NewServeMux()
		mux.Handle("GET /me", kit.HTTP.Require(paseto.Requirement{}, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})))
		mux.Handle("/ws", kit.Guard.Require(paseto.Requirement{}, func(ctx context.Context, _ *wsauth.Conn) { <-ctx.Done() }))
		server := httptest.NewServer(mux)
		defer server.Close()
		urls[name] = server.URL
		sockets[name], _, err = websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(server.URL, "http")+"/ws", authorization)
		check(t, err)
		defer sockets[name].Close()
		if status, body := request("GET", urls[name]+"/me"); status != http.StatusOK {
			t.Fatalf("%s: the token is refused before the logout: %d %s", name, status, body)
		}
	}
	if status, body := request("POST", login.URL+"/logout"); status != http.StatusNoContent {
		t.Fatalf("the logout is answered with %d %s", status, body)
	}
	for name, socket := range sockets {
		_, _, err := socket.ReadMessage()
		var closed *websocket.CloseError
		if !errors.As(err, &closed) || closed.Text != paseto.ErrRevoked.Message() {
			t.Errorf("%s: the socket ends with %v, want %s", name, err, paseto.ErrRevoked.Message())
		}
		if status, body := request("GET", urls[name]+"/me"); status != http.StatusUnauthorized || !strings.Contains(body, string(paseto.ErrRevoked)) {
			t.Errorf("%s: after the logout the answer is %d %s", name, status, body)
		}
	}
}

// open opens a configuration as a service would.
func open(ctx context.Context, file string) (*config.Kit, error) {
	cfg, err := config.Load(file)
	if err != nil {
		return nil, err
	}
	return config.Open(ctx, cfg)
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
