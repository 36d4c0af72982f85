package paseto_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/paseto"
)

// opened returns the claims of a token that was admitted, whether or not a denylist can
// be asked.
func opened(t testing.TB, auth *paseto.Authorizer, g paseto.Grant) *paseto.Claims {
	t.Helper()
	return verify(t, newAuthorizer(t, paseto.Config{Keys: auth.Keys(), AllowNoExpiry: true}), issueAccess(t, auth, g).Token.Reveal(), paseto.Requirement{})
}

// TestRecheck finds what a verification would, of what may change after it.
func TestRecheck(t *testing.T) {
	t.Parallel()
	noTime := paseto.Config{AllowNoExpiry: true, MaxTTL: paseto.NoExpiry}
	alice := paseto.Grant{Subject: "alice", Session: "s1", TTL: time.Minute}
	signed := paseto.Grant{Purpose: paseto.Public}
	down := &failing{err: errDown}
	type scene struct {
		auth   *paseto.Authorizer
		clock  *clock
		claims *paseto.Claims
	}
	setKeys := func(keys ...paseto.Key) func(*testing.T, scene) {
		return func(t *testing.T, s scene) {
			t.Helper()
			checkNil(t, s.auth.SetKeys(keys...))
		}
	}
	after := func(d time.Duration) func(*testing.T, scene) {
		return func(_ *testing.T, s scene) { s.clock.Set(issuedAt.Add(d)) }
	}
	nothing := func(*testing.T, scene) {}
	for _, test := range []struct {
		name   string
		cfg    paseto.Config
		opts   []paseto.Option
		grant  paseto.Grant
		happen func(t *testing.T, s scene)
		want   error
	}{
		{"nothing has happened", paseto.Config{}, nil, alice, nothing, nil},
		{"right before the expiry", paseto.Config{}, nil, alice, after(time.Minute - 1), nil},
		{"expired", paseto.Config{}, nil, alice, after(time.Minute), paseto.ErrExpired},
		{"within the leeway", paseto.Config{Leeway: time.Second}, nil, alice, after(time.Minute), nil},
		{"after the leeway", paseto.Config{Leeway: time.Second}, nil, alice, after(time.Minute + time.Second), paseto.ErrExpired},
		{"no expiry", noTime, nil, paseto.Grant{TTL: paseto.NoExpiry}, after(100 * 365 * 24 * time.Hour), nil},

		{"key taken out", paseto.Config{}, nil, alice, setKeys(otherLocal, secretKey), paseto.ErrKeyWithdrawn},
		{"key of a token without kid taken out", paseto.Config{OmitKeyID: true}, nil, alice, setKeys(otherLocal), paseto.ErrKeyWithdrawn},
		{"another key taken out", paseto.Config{}, nil, alice, setKeys(localKey), nil},
		{"key is not the first any more", paseto.Config{}, nil, alice, setKeys(otherLocal, localKey), nil},
		{"key out and in again", paseto.Config{}, nil, alice, func(t *testing.T, s scene) {
			t.Helper()
			setKeys(otherLocal)(t, s)
			setKeys(localKey)(t, s)
		}, nil},
		{"secret key taken out", paseto.Config{}, nil, signed, setKeys(localKey), paseto.ErrKeyWithdrawn},
		{"only its public half stays", paseto.Config{}, nil, signed, setKeys(localKey, publicKey), nil},
		{"key retires", paseto.Config{}, nil, alice, setKeys(otherLocal, localKey.Retire(start.Add(time.Second))), nil},
		{"key has retired", paseto.Config{}, nil, alice, setKeys(otherLocal, localKey.Retire(start)), paseto.ErrKeyWithdrawn},

		{"token revoked", paseto.Config{}, nil, alice, func(t *testing.T, s scene) {
			t.Helper()
			checkNil(t, s.auth.Revoke(t.Context(), s.claims))
		}, paseto.ErrRevoked},
		{"session revoked", paseto.Config{}, nil, alice, func(t *testing.T, s scene) {
			t.Helper()
			checkNil(t, s.auth.RevokeSession(t.Context(), "s1"))
		}, paseto.ErrRevoked},
		{"subject revoked", paseto.Config{}, nil, alice, func(t *testing.T, s scene) {
			t.Helper()
			checkNil(t, s.auth.RevokeSubject(t.Context(), "alice", time.Time{}))
		}, paseto.ErrRevoked},
		{"type not looked up", paseto.Config{Denylist: paseto.DenylistConfig{Check: []string{"refresh"}}}, nil, alice, func(t *testing.T, s scene) {
			t.Helper()
			checkNil(t, s.auth.Revoke(t.Context(), s.claims))
		}, nil},

		{"no denylist", paseto.Config{}, []paseto.Option{paseto.WithDenylist(nil)}, alice, nothing, nil},
		{"no denylist, key taken out", paseto.Config{}, []paseto.Option{paseto.WithDenylist(nil)}, alice, setKeys(otherLocal), paseto.ErrKeyWithdrawn},
		{"denylist down", paseto.Config{}, []paseto.Option{paseto.WithDenylist(down)}, alice, nothing, paseto.ErrUnavailable},
		{"denylist down, fail open", paseto.Config{Denylist: paseto.DenylistConfig{FailOpen: true}}, []paseto.Option{paseto.WithDenylist(down)}, alice, nothing, nil},
		{"denylist down, expired", paseto.Config{}, []paseto.Option{paseto.WithDenylist(down)}, alice, after(time.Hour), paseto.ErrExpired},
		{"denylist down, key taken out", paseto.Config{}, []paseto.Option{paseto.WithDenylist(down)}, alice, setKeys(otherLocal), paseto.ErrKeyWithdrawn},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			auth, c := revocable(t, test.cfg, test.opts...)
			s := scene{auth, c, opened(t, auth, test.grant)}
			test.happen(t, s)
			err := auth.Recheck(t.Context(), s.claims)
			if !errors.Is(err, test.want) {
				t.Errorf("error is %v, want %v", err, test.want)
			}
			if err := auth.Recheck(t.Context(), nil); err != nil {
				t.Errorf("the error of an anonymous caller is %v", err)
			}
		})
	}
}

// TestRecheckOfForeignKeys: those of a source are not asked for again, and those that
// opened a ticket are looked at.
func TestRecheckOfForeignKeys(t *testing.T) {
	t.Parallel()
	keys := &source{keys: []paseto.Key{must(otherPair.PublicKey())}}
	auth, _ := revocable(t, paseto.Config{Keys: []paseto.Key{localKey}}, paseto.WithKeySource(keys))
	foreign := verify(t, auth, remote(t, otherPair, paseto.Grant{Subject: "alice"}), paseto.Requirement{})
	ticket := issueTicket(t, auth, issueAccess(t, auth, paseto.Grant{Subject: "bob"}).Claims, paseto.TicketGrant{})
	redeemed, err := auth.RedeemTicket(t.Context(), ticket, paseto.Requirement{}, paseto.TicketUse{})
	checkNil(t, err)
	keys.keys = nil
	checkNil(t, auth.SetKeys(otherLocal))
	keys.take()
	if err := auth.Recheck(t.Context(), foreign); err != nil || len(keys.take()) > 0 {
		t.Errorf("a token of the source's: error is %v", err)
	}
	if err := auth.Recheck(t.Context(), redeemed); !errors.Is(err, paseto.ErrKeyWithdrawn) {
		t.Errorf("a ticket: error is %v, want %v", err, paseto.ErrKeyWithdrawn)
	}
}

// TestRecheckContextEnded says nothing of the token, nor of the store.
func TestRecheckContextEnded(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	auth := newAuthorizer(t, paseto.Config{Denylist: paseto.DenylistConfig{FailOpen: true}}, paseto.WithDenylist(&failing{err: errDown, before: cancel}))
	err := auth.Recheck(ctx, issueAccess(t, auth, paseto.Grant{}).Claims)
	if !errors.Is(err, context.Canceled) || errors.Is(err, paseto.ErrUnavailable) {
		t.Errorf("error is %v, want %v", err, context.Canceled)
	}
}

// TestRevokedBy says of a record what the denylist does that has it.
func TestRevokedBy(t *testing.T) {
	t.Parallel()
	records := map[string]denylist.Revocation{
		"another token":              {TokenID: "other"},
		"session":                    {Session: "s1"},
		"another session":            {Session: "s2"},
		"subject":                    {Subject: "alice", IssuedBefore: start},
		"subject, until the login":   {Subject: "alice", IssuedBefore: start.Add(-time.Hour)},
		"subject, before the login":  {Subject: "alice", IssuedBefore: start.Add(-time.Hour - time.Second)},
		"another subject":            {Subject: "bob", IssuedBefore: start},
		"subject named as a session": {Session: "alice"},
	}
	grants := map[string]paseto.Grant{
		"of a login":      {Subject: "alice", Session: "s1"},
		"of an older one": {Subject: "alice", Session: "s1", AuthTime: start.Add(-time.Hour)},
		"of no session":   {Subject: "alice"},
		"of no subject":   {Session: "s1"},
		"of nobody":       {},
	}
	for name, r := range records {
		for whose, g := range grants {
			t.Run(name+", "+whose, func(t *testing.T) {
				t.Parallel()
				store := denylist.NewMemory()
				defer store.Close()
				auth := newAuthorizer(t, paseto.Config{}, paseto.WithDenylist(store))
				claims := issueAccess(t, auth, g).Claims
				checkNil(t, store.Revoke(t.Context(), r))
				want := errors.Is(auth.Revoked(t.Context(), claims), paseto.ErrRevoked)
				if got := auth.RevokedBy(claims, r); got != want {
					t.Errorf("RevokedBy = %t, and the denylist says %t", got, want)
				}
			})
		}
	}
	auth, _ := revocable(t, paseto.Config{})
	access, invite := issueAccess(t, auth, paseto.Grant{}).Claims, must(auth.Issue("invite", paseto.Grant{})).Claims
	for _, test := range []struct {
		name   string
		auth   *paseto.Authorizer
		claims *paseto.Claims
		want   bool
	}{
		{"token", auth, access, true},
		{"type not looked up", auth, invite, false},
		{"no denylist", newAuthorizer(t, paseto.Config{}), access, false},
	} {
		if got := test.auth.RevokedBy(test.claims, denylist.Revocation{TokenID: test.claims.ID}); got != test.want {
			t.Errorf("%s: RevokedBy = %t, want %t", test.name, got, test.want)
		}
	}
	if auth.RevokedBy(nil, denylist.Revocation{TokenID: access.ID}) {
		t.Error("an anonymous caller is revoked")
	}
}

// TestWatchDenylist is told of what other machines revoke.
func TestWatchDenylist(t *testing.T) {
	t.Parallel()
	here, there, _ := nodes(t, paseto.Config{})
	ctx, cancel := context.WithCancel(t.Context())
	events, ended := make(chan denylist.Event), make(chan error, 1)
	go func() {
		ended <- here.WatchDenylist(ctx, func(e denylist.Event) { events <- e })
	}()
	if first := <-events; first.Kind != denylist.EventMissed {
		t.Errorf("the first event is %+v, want that some may have been missed", first)
	}
	claims := issueAccess(t, there, paseto.Grant{Subject: "alice", Session: "s1"}).Claims
	for _, revoke := range []func() error{
		func() error { return there.Revoke(t.Context(), claims) },
		func() error { return there.RevokeSession(t.Context(), "s1") },
		func() error { return there.RevokeSubject(t.Context(), "alice", time.Time{}) },
	} {
		checkNil(t, revoke())
		if e := <-events; e.Kind != denylist.EventRevoked || !here.RevokedBy(claims, e.Revocation) {
			t.Errorf("the event is %+v, want the revocation", e)
		}
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("the watch ended with %v", err)
	}
	err := newAuthorizer(t, paseto.Config{}).WatchDenylist(t.Context(), func(denylist.Event) { t.Error("an event of no denylist") })
	if !errors.Is(err, paseto.ErrNoDenylist) {
		t.Errorf("error is %v, want %v", err, paseto.ErrNoDenylist)
	}
}

// TestClaimsHoweverWritten says what was meant, whichever way JSON has it.
func TestClaimsHoweverWritten(t *testing.T) {
	t.Parallel()
	auth := newAuthorizer(t, paseto.Config{})
	for _, test := range []struct {
		name, members             string
		id, subject, session, iss string
		audience, scopes          []string
	}{
		{"plainly", `"jti":"t1","sub":"alice","sid":"s1","iss":"me","aud":["a","b"],"scope":"x y"`,
			"t1", "alice", "s1", "me", []string{"a", "b"}, []string{"x", "y"}},
		{"with escapes", `"jti":"\u0074\u0031","sub":"al\"i\\ce\n","sid":"s\/1","iss":"\u00fc","aud":"\t","scope":["\u0078","\u0079 z"]`,
			"t1", "al\"i\\ce\n", "s/1", "ü", []string{"\t"}, []string{"x", "y", "z"}},
		{"beyond ASCII", `"jti":"grüß","sub":"阿里","sid":"😀","iss":"\ud83d\ude00","aud":["é","\u00e9"],"scope":"ä ö"`,
			"grüß", "阿里", "😀", "😀", []string{"é", "é"}, []string{"ä", "ö"}},
		{"with other spaces", `"scope":"a\u00a0b\tc  d "`, "", "", "", "", nil, []string{"a\u00a0b\tc", "d"}},
		{"empty", `"jti":"","sub":"","sid":"","iss":"","aud":[],"scope":""`, "", "", "", "", []string{}, []string{}},
		{"as a number", `"sub":42,"jti":"42","other":42`, "42", "42", "", "", nil, nil},
		{"as names and parts of others", `"jti":"jti","sub":"j","sid":"sub","iss":"access","aud":"type","scope":"a ac acc"`,
			"jti", "j", "sub", "access", []string{"type"}, []string{"a", "ac", "acc"}},
		{"as what others have with escapes", `"a":"\u0061lice","sub":"alice","b":"s\u0031","sid":"s1"`, "", "alice", "s1", "", nil, nil},
		{"among nothing", `"a":null,"sub":"alice","b":[null,{"sub":null}],"jti":"null"`, "null", "alice", "", "", nil, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c := verify(t, auth, sign("{"+valid+","+test.members+"}", "", ""), paseto.Requirement{})
			for _, s := range []struct{ name, got, want string }{
				{"jti", c.ID, test.id}, {"sub", c.Subject, test.subject}, {"sid", c.Session, test.session}, {"iss", c.Issuer, test.iss}, {"type", c.Type, "access"},
			} {
				if s.got != s.want {
					t.Errorf("%s is %q, want %q", s.name, s.got, s.want)
				}
			}
			if !slices.Equal(c.Audience, test.audience) || !slices.Equal(c.Scopes, test.scopes) {
				t.Errorf("aud is %q and scope %q, want %q and %q", c.Audience, c.Scopes, test.audience, test.scopes)
			}
			var whole map[string]any
			if err := c.Decode(&whole); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestFootersAreApart: what a program appends to one is not in another's.
func TestFootersAreApart(t *testing.T) {
	t.Parallel()
	auth := newAuthorizer(t, paseto.Config{})
	var footers [3][]byte
	for i := range footers {
		own := verify(t, auth, issueAccess(t, auth, paseto.Grant{}).Token.Reveal(), paseto.Requirement{}).Footer
		footers[i] = append(own, byte('a'+i))
	}
	for i, footer := range footers {
		if got, want := string(footer[len(footer)-1]), string(rune('a'+i)); got != want {
			t.Errorf("footer %d ends in %q, want %q", i, got, want)
		}
	}
}
