package live

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/paseto"
)

type told chan error

func (t told) RightEnded(err error) { t <- err }

func TestSmoke(t *testing.T) {
	key := paseto.NewLocalKey()
	store := denylist.NewMemory()
	auth, err := paseto.New(paseto.Config{Keys: []paseto.Key{key}}, paseto.WithDenylist(store))
	if err != nil {
		t.Fatal(err)
	}
	k, err := New(auth, Config{PerSubject: 2, OnExcess: ReplaceOldest})
	if err != nil {
		t.Fatal(err)
	}
	open := func() (*Right, told) {
		is, err := auth.IssueAccess(paseto.Grant{Subject: "alice"})
		if err != nil {
			t.Fatal(err)
		}
		c, err := auth.Verify(t.Context(), is.Token.Reveal(), paseto.Requirement{})
		if err != nil {
			t.Fatal(err)
		}
		h := make(told, 1)
		r, err := k.Open(t.Context(), c, nil, h)
		if err != nil {
			t.Fatal(err)
		}
		return r, h
	}
	r1, h1 := open()
	r2, h2 := open()
	r3, h3 := open()
	if err := <-h1; !errors.Is(err, ErrReplaced) {
		t.Fatal(err)
	}
	if err := auth.Revoke(t.Context(), r2.Claims()); err != nil {
		t.Fatal(err)
	}
	if err := <-h2; !errors.Is(err, paseto.ErrRevoked) {
		t.Fatal(err)
	}
	go func() { t.Log(<-h3); r1.Release(); r2.Release(); r3.Release() }()
	t.Log(k.Stats())
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if err := k.Shutdown(ctx); err != nil {
		t.Fatal(err)
	}
	t.Log(k.Stats())
}
