package bolt_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/denylist/bolt"
)

// What is revoked is still revoked when the program starts again.
func Example() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir) //nolint:errcheck // it is a temporary directory
	ctx, path := context.Background(), filepath.Join(dir, "revoked.db")

	store, err := bolt.Open(ctx, bolt.Config{Path: path})
	if err != nil {
		fmt.Println(err)
		return
	}
	err = store.Revoke(ctx, denylist.Revocation{Session: "login-1", Until: time.Now().Add(time.Hour)})
	if err != nil {
		fmt.Println(err)
	}
	if err := store.Close(); err != nil {
		fmt.Println(err)
	}

	store, err = bolt.Open(ctx, bolt.Config{Path: path})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer store.Close()
	revoked, err := store.Revoked(ctx, denylist.Token{ID: "token-7", Session: "login-1", Subject: "alice"})
	fmt.Println(revoked, err)
	// Output: true <nil>
}
