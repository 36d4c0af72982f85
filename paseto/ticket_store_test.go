package paseto_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/paseto"
)

// ticketStore returns an Authorizer whose store counts what is used up.
func ticketStore(t testing.TB, cfg paseto.Config) (auth *paseto.Authorizer, used *int, c *clock) {
	t.Helper()
	auth, store, c := rotating(t, cfg)
	used = new(int)
	store.consume = func() error { *used++; return nil }
	return auth, used, c
}

// TestTicketWithTheStoreDown is refused, and works when the store is back.
func TestTicketWithTheStoreDown(t *testing.T) {
	t.Parallel()
	auth, store, _ := rotating(t, paseto.Config{})
	token := issueTicket(t, auth, issueAccess(t, auth, paseto.Grant{}).Claims, paseto.TicketGrant{})
	store.consume = func() error { return errDown }
	for _, optional := range []bool{false, true} {
		checkNotRedeemed(t, auth, token, paseto.Requirement{Optional: optional}, paseto.TicketUse{}, paseto.ErrUnavailable)
	}
	store.consume = nil
	redeem(t, auth, token, paseto.Requirement{}, paseto.TicketUse{})

	down := newAuthorizer(t, paseto.Config{}, paseto.WithDenylist(&failing{err: errDown}))
	token = issueTicket(t, down, issueAccess(t, down, paseto.Grant{}).Claims, paseto.TicketGrant{})
	checkNotRedeemed(t, down, token, paseto.Requirement{}, paseto.TicketUse{}, paseto.ErrUnavailable)
	open := newAuthorizer(t, paseto.Config{Denylist: paseto.DenylistConfig{Check: []string{paseto.TypeRefresh}}}, paseto.WithDenylist(&failing{err: errDown}))
	checkNotRedeemed(t, open, token, paseto.Requirement{}, paseto.TicketUse{}, paseto.ErrUnavailable)
}

// TestTicketFailsOpen works any number of times while the store is down.
func TestTicketFailsOpen(t *testing.T) {
	t.Parallel()
	var seen events
	var log bytes.Buffer
	auth, store, c := rotating(t, paseto.Config{Denylist: paseto.DenylistConfig{FailOpen: true}},
		paseto.WithObserver(seen.observe), paseto.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
	access := issueAccess(t, auth, paseto.Grant{}).Claims
	token := issueTicket(t, auth, access, paseto.TicketGrant{})
	store.consume = func() error { return errDown }
	seen.take()
	for range 2 {
		redeem(t, auth, token, paseto.Requirement{}, paseto.TicketUse{})
		want := []paseto.EventKind{paseto.EventDenylistFailed, paseto.EventDenylistBypassed, paseto.EventVerified}
		if got := seen.kinds(); !slices.Equal(got, want) {
			t.Errorf("events are %q, want %q", got, want)
		}
	}
	if said := log.String(); strings.Count(said, "accepted unchecked") != 2 || strings.Contains(said, token) {
		t.Errorf("the log says %s", said)
	}
	store.consume = nil
	redeem(t, auth, token, paseto.Requirement{}, paseto.TicketUse{})
	checkNotRedeemed(t, auth, token, paseto.Requirement{}, paseto.TicketUse{}, paseto.ErrTicketUsed)
	store.consume = func() error { return errDown }
	late := issueTicket(t, auth, access, paseto.TicketGrant{})
	c.Advance(30 * time.Second)
	checkNotRedeemed(t, auth, late, paseto.Requirement{}, paseto.TicketUse{}, paseto.ErrExpired)
}

// TestTicketContextEnded lets nobody in, not even anonymously.
func TestTicketContextEnded(t *testing.T) {
	t.Parallel()
	for _, failOpen := range []bool{false, true} {
		var seen events
		auth, store, _ := rotating(t, paseto.Config{Denylist: paseto.DenylistConfig{FailOpen: failOpen}}, paseto.WithObserver(seen.observe))
		token := issueTicket(t, auth, issueAccess(t, auth, paseto.Grant{}).Claims, paseto.TicketGrant{})
		ctx, cancel := context.WithCancel(t.Context())
		store.consume = func() error { cancel(); return ctx.Err() }
		claims, err := auth.RedeemTicket(ctx, token, paseto.Requirement{Optional: true}, paseto.TicketUse{})
		if claims != nil || !errors.Is(err, context.Canceled) || errors.Is(err, paseto.ErrUnavailable) {
			t.Errorf("fail open %t: claims %v, error %v, want %v", failOpen, claims, err, context.Canceled)
		}
		if slices.Contains(seen.kinds(), paseto.EventDenylistFailed) {
			t.Errorf("fail open %t: the store is said to have failed", failOpen)
		}
		claims, err = auth.RedeemTicket(ctx, "junk", paseto.Requirement{Optional: true}, paseto.TicketUse{})
		if claims != nil || err == nil {
			t.Errorf("fail open %t: a caller who has gone is anonymous", failOpen)
		}
	}
}

// TestTicketWithoutDenylist cannot be issued, and cannot be redeemed: it would
// work any number of times.
func TestTicketWithoutDenylist(t *testing.T) {
	t.Parallel()
	with, _ := revocable(t, paseto.Config{})
	without := newAuthorizer(t, paseto.Config{Denylist: paseto.DenylistConfig{FailOpen: true}})
	access := issueAccess(t, without, paseto.Grant{}).Claims
	if issued, err := without.IssueTicket(access, paseto.TicketGrant{}); !errors.Is(err, paseto.ErrNoDenylist) || issued.Token.Reveal() != "" {
		t.Errorf("error is %v, want %v", err, paseto.ErrNoDenylist)
	}
	token := issueTicket(t, with, access, paseto.TicketGrant{})
	for _, optional := range []bool{false, true} {
		_, err := without.RedeemTicket(t.Context(), token, paseto.Requirement{Optional: optional}, paseto.TicketUse{})
		checkRefused(t, err, paseto.ErrTicket, "Ticket is not valid here")
		if !errors.Is(err, paseto.ErrNoDenylist) {
			t.Errorf("%v does not wrap %v", err, paseto.ErrNoDenylist)
		}
	}
}

// TestTicketKeysUnavailable cannot tell a ticket from a forged one, and takes
// nobody for an anonymous caller.
func TestTicketKeysUnavailable(t *testing.T) {
	t.Parallel()
	auth, _ := revocable(t, paseto.Config{}, paseto.WithKeySource(&source{err: errDown}))
	other, _ := revocable(t, paseto.Config{Keys: []paseto.Key{otherLocal}})
	token := issueTicket(t, other, issueAccess(t, other, paseto.Grant{}).Claims, paseto.TicketGrant{})
	for _, optional := range []bool{false, true} {
		checkNotRedeemed(t, auth, token, paseto.Requirement{Optional: optional}, paseto.TicketUse{}, paseto.ErrKeysUnavailable)
	}
}

// TestTicketDuringRevocation revokes what a ticket stands for after the first look
// at it, as the ticket is used up. It opens nothing.
func TestTicketDuringRevocation(t *testing.T) {
	t.Parallel()
	for name, revoke := range ways {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			auth, store, _ := rotating(t, paseto.Config{})
			access := issueAccess(t, auth, paseto.Grant{Subject: "alice", Session: "s1"}).Claims
			token := issueTicket(t, auth, access, paseto.TicketGrant{})
			store.consume = func() error { return revoke(t.Context(), auth, access) }
			checkNotRedeemed(t, auth, token, paseto.Requirement{}, paseto.TicketUse{}, paseto.ErrRevoked)
		})
	}
}

// TestTicketsAreForgotten: what is kept of tickets that were used is gone soon after
// they would have expired.
func TestTicketsAreForgotten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := denylist.NewMemory()
		defer store.Close()
		auth := newAuthorizer(t, paseto.Config{AccessTTL: time.Hour}, paseto.WithClock(time.Now), paseto.WithDenylist(store))
		access := issueAccess(t, auth, paseto.Grant{}).Claims
		const n = 500
		for range 10 {
			for range n {
				redeem(t, auth, issueTicket(t, auth, access, paseto.TicketGrant{}), paseto.Requirement{}, paseto.TicketUse{})
			}
			if got := store.Len(); got > n {
				t.Fatalf("%d records are kept, want those of the latest %d tickets", got, n)
			}
			time.Sleep(30*time.Second + 2*time.Minute)
		}
	})
}
