package paseto_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/paseto"
)

// failing is a store that answers every call with err. It calls before, if
// set, as it is asked.
type failing struct {
	denylist.Store
	err    error
	before func()
}

func (f *failing) fail() error {
	if f.before != nil {
		f.before()
	}
	return f.err
}

func (f *failing) Revoke(context.Context, denylist.Revocation) error { return f.fail() }

func (f *failing) Revoked(context.Context, denylist.Token) (bool, error) { return false, f.fail() }

func (f *failing) Consume(context.Context, string, string, time.Time) (string, bool, error) {
	return "", false, f.fail()
}

func (f *failing) Advance(context.Context, string, string, string, time.Time) (string, bool, error) {
	return "", false, f.fail()
}

var errDown = errors.New("connection refused")

func TestDenylistDownFailsClosed(t *testing.T) {
	t.Parallel()
	var seen events
	var log bytes.Buffer
	auth := newAuthorizer(t, paseto.Config{},
		paseto.WithDenylist(&failing{err: errDown}),
		paseto.WithObserver(seen.observe),
		paseto.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
	token := issueAccess(t, auth, paseto.Grant{Subject: "alice"}).Token.Reveal()
	seen.take()
	claims, err := auth.Verify(t.Context(), token, paseto.Requirement{})
	checkRefused(t, err, paseto.ErrUnavailable, "Token revocation cannot be checked at the moment")
	if claims != nil {
		t.Error("claims come with the refusal")
	}
	if !errors.Is(err, errDown) {
		t.Errorf("%v does not wrap the store's error", err)
	}
	if got, want := seen.kinds(), []paseto.EventKind{paseto.EventDenylistFailed, paseto.EventRefused}; !slices.Equal(got, want) {
		t.Errorf("events are %q, want %q", got, want)
	}
	if !strings.Contains(log.String(), errDown.Error()) || !strings.Contains(log.String(), "refused") || strings.Contains(log.String(), token) {
		t.Errorf("the log says %s", &log)
	}
	if _, err := auth.Verify(t.Context(), token, paseto.Requirement{Optional: true}); !errors.Is(err, paseto.ErrUnavailable) {
		t.Errorf("error of an optional route is %v, want %v", err, paseto.ErrUnavailable)
	}
}

func TestDenylistDownFailsOpenWhereAsked(t *testing.T) {
	t.Parallel()
	var seen events
	var log bytes.Buffer
	auth := newAuthorizer(t, paseto.Config{Denylist: paseto.DenylistConfig{FailOpen: true}},
		paseto.WithDenylist(&failing{err: errDown}),
		paseto.WithObserver(seen.observe),
		paseto.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
	pair := issuePair(t, auth, paseto.Grant{})
	seen.take()
	claims := verify(t, auth, pair.Access.Token.Reveal(), paseto.Requirement{})
	all := seen.take()
	if len(all) != 3 || all[0].Kind != paseto.EventDenylistFailed || all[1].Kind != paseto.EventDenylistBypassed || all[2].Kind != paseto.EventVerified {
		t.Fatalf("events are %v", all)
	}
	for _, event := range all[:2] {
		if event.Claims != claims || !errors.Is(event.Err, errDown) {
			t.Errorf("event %s has claims %v and error %v", event.Kind, event.Claims, event.Err)
		}
	}
	if !strings.Contains(log.String(), "accepted unchecked") {
		t.Errorf("the log says %s", &log)
	}
	if _, err := auth.Refresh(t.Context(), pair.Refresh.Token.Reveal(), paseto.Requirement{}); err != nil {
		t.Errorf("a refresh is refused: %v", err)
	}
}

func TestDenylistDownRecordsNothing(t *testing.T) {
	t.Parallel()
	var seen events
	auth := newAuthorizer(t, paseto.Config{Denylist: paseto.DenylistConfig{FailOpen: true}},
		paseto.WithDenylist(&failing{err: errDown}), paseto.WithObserver(seen.observe))
	claims := issueAccess(t, auth, paseto.Grant{}).Claims
	seen.take()
	for name, err := range map[string]error{
		"token":   auth.Revoke(t.Context(), claims),
		"session": auth.RevokeSession(t.Context(), "s1"),
		"subject": auth.RevokeSubject(t.Context(), "alice", time.Time{}),
	} {
		if !errors.Is(err, paseto.ErrUnavailable) || !errors.Is(err, errDown) {
			t.Errorf("%s: error is %v, want %v and its cause", name, err, paseto.ErrUnavailable)
		}
	}
	if got := seen.kinds(); !slices.Equal(got, slices.Repeat([]paseto.EventKind{paseto.EventDenylistFailed}, 3)) {
		t.Errorf("events are %q", got)
	}
}

// TestDenylistContextEnded ends the context while the store is asked. That is
// neither a failure of the store nor a reason to let anyone in unchecked.
func TestDenylistContextEnded(t *testing.T) {
	t.Parallel()
	for name, storeErr := range map[string]error{
		"store returns the context's error": context.Canceled,
		"store returns an error of its own": errors.New("read interrupted"),
	} {
		for _, failOpen := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s fail open %t", name, failOpen), func(t *testing.T) {
				t.Parallel()
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				var seen events
				auth := newAuthorizer(t, paseto.Config{Denylist: paseto.DenylistConfig{FailOpen: failOpen}}, paseto.WithObserver(seen.observe),
					paseto.WithDenylist(&failing{err: storeErr, before: cancel}))
				token := issueAccess(t, auth, paseto.Grant{}).Token.Reveal()
				claims, err := auth.Verify(ctx, token, paseto.Requirement{})
				if claims != nil || !errors.Is(err, context.Canceled) || errors.Is(err, paseto.ErrUnavailable) {
					t.Errorf("error is %v, want %v", err, context.Canceled)
				}
				if slices.Contains(seen.kinds(), paseto.EventDenylistFailed) {
					t.Error("the store is said to have failed")
				}
			})
		}
	}
}

func TestDenylistCheck(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		types   []string // of the configuration
		checked []string
	}{
		{"default", nil, []string{"access", "refresh"}},
		{"refresh alone", []string{"refresh"}, []string{"refresh"}},
		{"one of one's own", []string{"access", "email-verify"}, []string{"access", "email-verify"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			auth, _ := revocable(t, paseto.Config{Denylist: paseto.DenylistConfig{Check: test.types}})
			for _, tokenType := range []string{"access", "refresh", "email-verify"} {
				issued := must(auth.Issue(tokenType, paseto.Grant{}))
				if err := auth.Revoke(t.Context(), issued.Claims); err != nil {
					t.Fatal(err)
				}
				_, err := auth.Verify(t.Context(), issued.Token.Reveal(), paseto.Requirement{Type: tokenType})
				if got, want := errors.Is(err, paseto.ErrRevoked), slices.Contains(test.checked, tokenType); got != want {
					t.Errorf("a revoked %s token: error is %v", tokenType, err)
				}
			}
		})
	}
}

func TestDenylistIsAskedLast(t *testing.T) {
	t.Parallel()
	asked := &failing{before: func() { t.Error("the store is asked") }}
	auth := newAuthorizer(t, paseto.Config{}, paseto.WithDenylist(asked))
	pair := issuePair(t, auth, paseto.Grant{})
	for name, req := range map[string]paseto.Requirement{
		"stale":            {Fresh: true},
		"scope missing":    {Scopes: []string{"a"}},
		"wrong type":       {Type: paseto.TypeRefresh},
		"another implicit": {Implicit: []byte("a")},
	} {
		if _, err := auth.Verify(t.Context(), pair.Access.Token.Reveal(), req); err == nil {
			t.Errorf("%s: the token is accepted", name)
		}
	}
}
