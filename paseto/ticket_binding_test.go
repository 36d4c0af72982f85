package paseto_test

import (
	"errors"
	"testing"

	"github.com/pasetokit/pasetokit/paseto"
)

func TestTicketBinding(t *testing.T) {
	t.Parallel()
	const page, path = "https://app.example.com", "/ws/a b"
	for _, test := range []struct {
		name  string
		grant paseto.TicketGrant
		use   paseto.TicketUse
		ok    bool
	}{
		{"unbound", paseto.TicketGrant{}, paseto.TicketUse{Path: path, Origin: page}, true},
		{"unbound, nowhere", paseto.TicketGrant{}, paseto.TicketUse{}, true},
		{"right path", paseto.TicketGrant{Path: path}, paseto.TicketUse{Path: path, Origin: page}, true},
		{"another path", paseto.TicketGrant{Path: path}, paseto.TicketUse{Path: "/ws/b"}, false},
		{"path with more", paseto.TicketGrant{Path: "/ws"}, paseto.TicketUse{Path: "/ws/a"}, false},
		{"path with less", paseto.TicketGrant{Path: "/ws/"}, paseto.TicketUse{Path: "/ws"}, false},
		{"path in capitals", paseto.TicketGrant{Path: "/ws"}, paseto.TicketUse{Path: "/WS"}, false},
		{"path, escaped", paseto.TicketGrant{Path: path}, paseto.TicketUse{Path: "/ws/a%20b"}, true},
		{"path, escaped slash", paseto.TicketGrant{Path: "/ws/a/b"}, paseto.TicketUse{Path: "/ws/a%2Fb"}, false},
		{"path, slash for an escaped one", paseto.TicketGrant{Path: "/ws/a%2Fb"}, paseto.TicketUse{Path: "/ws/a/b"}, false},
		{"path, escaped slash beside what is not escaped", paseto.TicketGrant{Path: "/ws/a%2Fb%20%C3%BC"}, paseto.TicketUse{Path: "/ws/a%2Fb%20ü"}, false},
		{"path, half an escape", paseto.TicketGrant{Path: "/ws/50%25"}, paseto.TicketUse{Path: "/ws/50%"}, false},
		{"no path", paseto.TicketGrant{Path: path}, paseto.TicketUse{Origin: page}, false},
		{"right origin", paseto.TicketGrant{Origin: page}, paseto.TicketUse{Path: path, Origin: page}, true},
		{"another origin", paseto.TicketGrant{Origin: page}, paseto.TicketUse{Origin: "https://evil.example.com"}, false},
		{"origin of another scheme", paseto.TicketGrant{Origin: page}, paseto.TicketUse{Origin: "http://app.example.com"}, false},
		{"origin of another port", paseto.TicketGrant{Origin: page}, paseto.TicketUse{Origin: page + ":8443"}, false},
		{"no origin", paseto.TicketGrant{Origin: page}, paseto.TicketUse{Path: path}, false},
		{"null origin", paseto.TicketGrant{Origin: page}, paseto.TicketUse{Origin: "null"}, false},
		{"both right", paseto.TicketGrant{Path: path, Origin: page}, paseto.TicketUse{Path: path, Origin: page}, true},
		{"path right, origin wrong", paseto.TicketGrant{Path: path, Origin: page}, paseto.TicketUse{Path: path, Origin: "https://a.b"}, false},
		{"path wrong, origin right", paseto.TicketGrant{Path: path, Origin: page}, paseto.TicketUse{Path: "/", Origin: page}, false},
		{"swapped", paseto.TicketGrant{Path: path, Origin: page}, paseto.TicketUse{Path: page, Origin: path}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			auth, _ := revocable(t, paseto.Config{})
			access := issueAccess(t, auth, paseto.Grant{Subject: "alice"}).Claims
			token := issueTicket(t, auth, access, test.grant)
			claims, err := auth.RedeemTicket(t.Context(), token, paseto.Requirement{}, test.use)
			if !test.ok {
				checkRefused(t, err, paseto.ErrTicket, "Ticket is not valid here")
				if claims != nil {
					t.Error("claims come with the refusal")
				}
				claims = redeem(t, auth, token, paseto.Requirement{}, paseto.TicketUse{Path: test.grant.Path, Origin: test.grant.Origin})
			} else if err != nil {
				t.Fatal(err)
			}
			if got, want := says(t, claims), says(t, access); got != want {
				t.Errorf("the ticket stands for %s, want %s", got, want)
			}
		})
	}
}

func TestTicketImplicit(t *testing.T) {
	t.Parallel()
	for _, purpose := range []paseto.Purpose{paseto.Local, paseto.Public} {
		auth, _ := revocable(t, paseto.Config{Purpose: purpose})
		access := issueAccess(t, auth, paseto.Grant{Implicit: []byte("of the access token")}).Claims
		for _, test := range []struct{ granted, required string }{{"a", "b"}, {"a", ""}, {"", "a"}, {"", "of the access token"}} {
			token := issueTicket(t, auth, access, paseto.TicketGrant{Implicit: []byte(test.granted)})
			wrong := paseto.Requirement{Implicit: []byte(test.required)}
			checkNotRedeemed(t, auth, token, wrong, paseto.TicketUse{}, refusalOf(purpose))
			redeem(t, auth, token, paseto.Requirement{Implicit: []byte(test.granted)}, paseto.TicketUse{})
		}
	}
}

// TestTicketIsNeverWrapped: Requirement.Base64 is about the tokens of a route.
func TestTicketIsNeverWrapped(t *testing.T) {
	t.Parallel()
	auth, _ := revocable(t, paseto.Config{})
	req := paseto.Requirement{Base64: true}
	access := verify(t, auth, issueAccess(t, auth, paseto.Grant{Base64: true}).Token.Reveal(), req)
	redeem(t, auth, issueTicket(t, auth, access, paseto.TicketGrant{}), req, paseto.TicketUse{})
}

// TestTicketReady is asked last, and what it refuses does not use the ticket up.
func TestTicketReady(t *testing.T) {
	t.Parallel()
	auth, _ := revocable(t, paseto.Config{})
	access := issueAccess(t, auth, paseto.Grant{Subject: "alice"}).Claims
	token := issueTicket(t, auth, access, paseto.TicketGrant{Path: "/ws"})
	unready := errors.New("not now")
	for _, optional := range []bool{false, true} {
		req := paseto.Requirement{Optional: optional}
		claims, err := auth.RedeemTicket(t.Context(), token, req, paseto.TicketUse{Path: "/ws", Ready: func() error { return unready }})
		if claims != nil || !errors.Is(err, unready) {
			t.Errorf("optional %t: what is not ready gives %v, %v", optional, claims, err)
		}
	}
	uncalled := func() error { t.Error("Ready was called for a ticket that is refused"); return nil }
	checkNotRedeemed(t, auth, token, paseto.Requirement{}, paseto.TicketUse{Path: "/other", Ready: uncalled}, paseto.ErrTicket)
	checkNotRedeemed(t, auth, token, paseto.Requirement{Fresh: true}, paseto.TicketUse{Path: "/ws", Ready: uncalled}, paseto.ErrNotFresh)
	called := 0
	redeem(t, auth, token, paseto.Requirement{}, paseto.TicketUse{Path: "/ws", Ready: func() error { called++; return nil }})
	if called != 1 {
		t.Errorf("Ready was called %d times, want once", called)
	}
}
