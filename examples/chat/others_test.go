package main

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/pasetokit/pasetokit/wsauth"
)

// TestLogoutOthers: what a user has open besides one socket is closed, and the
// other logins are over.
func TestLogoutOthers(t *testing.T) {
	server := startChat(t)
	mine, other := login(t, server, "alice").AccessToken.Reveal(), login(t, server, "alice").AccessToken.Reveal()
	kept, in := enter(t, server, "/ws", mine)
	sameLogin, _ := enter(t, server, "/ws?room=den", mine)
	otherLogin, _ := enter(t, server, "/ws", other)
	otherTab, _ := enter(t, server, "/ws", other)
	bob, _ := enter(t, server, "/ws", login(t, server, "bob").AccessToken.Reveal())

	var got others
	body := fmt.Sprintf(`{"connection":%q}`, in.Connection)
	if status := post(t, server, "/logout/others", mine, body, &got); status != http.StatusOK || got != (others{Connections: 3, Logins: 1}) {
		t.Fatalf("status %d, answer %+v", status, got)
	}
	wantClosed(t, sameLogin, closeLoggedOut, loggedOutReason)
	wantClosed(t, otherLogin, wsauth.ClosePolicyViolation, "Token has been revoked")
	wantClosed(t, otherTab, wsauth.ClosePolicyViolation, "Token has been revoked")
	wantRefused(t, dial(t, server, "/ws", other), "Token has been revoked")
	wantOpen(t, kept, "alice")
	wantOpen(t, bob, "bob")

	// Without a name, all of them are the others.
	if status := post(t, server, "/logout/others", mine, "", &got); status != http.StatusOK || got != (others{Connections: 1}) {
		t.Fatalf("status %d, answer %+v", status, got)
	}
	wantClosed(t, kept, closeLoggedOut, loggedOutReason)
	enter(t, server, "/ws", mine) // the login goes on
}

func TestLogoutOthersRefuses(t *testing.T) {
	server := startChat(t)
	token := login(t, server, "alice").AccessToken.Reveal()
	kept, _ := enter(t, server, "/ws", token)
	for _, tc := range []struct {
		name, token, body string
		want              int
	}{
		{"no token", "", "", http.StatusUnauthorized},
		{"no JSON", token, "connection", http.StatusBadRequest},
		{"another form", token, `{"connection":1}`, http.StatusBadRequest},
		{"too much", token, `{"connection":"` + strings.Repeat("a", 2<<10) + `"}`, http.StatusBadRequest},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var problem struct{ Code string }
			if status := post(t, server, "/logout/others", tc.token, tc.body, &problem); status != tc.want || problem.Code == "" {
				t.Errorf("status %d, problem %+v", status, problem)
			}
		})
	}
	wantOpen(t, kept, "alice")
}

// TestLogoutOthersNeedsDenylist: what cannot end a login does not claim to.
func TestLogoutOthersNeedsDenylist(t *testing.T) {
	t.Setenv("PASETOKIT_DENYLIST__DISABLED", "true")
	server := startChat(t)
	token := login(t, server, "alice").AccessToken.Reveal()
	kept, _ := enter(t, server, "/ws", token)
	var problem struct{ Code string }
	if status := post(t, server, "/logout/others", token, "", &problem); status != http.StatusNotImplemented || problem.Code != "revocation_unsupported" {
		t.Errorf("status %d, problem %+v", status, problem)
	}
	wantOpen(t, kept, "alice")
}
