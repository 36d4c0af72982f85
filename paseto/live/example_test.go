package live_test

import (
	"context"
	"fmt"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/live"
)

func ExampleKeeper_OpenToken() {
	ctx := context.Background()
	auth, err := paseto.New(paseto.Config{Keys: []paseto.Key{paseto.NewLocalKey()}}, paseto.WithDenylist(denylist.NewMemory()))
	if err != nil {
		panic(err)
	}
	keeper, err := live.New(auth, live.Config{})
	if err != nil {
		panic(err)
	}
	token, err := auth.IssueAccess(paseto.Grant{Subject: "alice"})
	if err != nil {
		panic(err)
	}
	route := &live.Route{Name: "reports"}

	right, err := keeper.OpenToken(ctx, token.Token.Reveal(), route, nil)
	if err != nil {
		panic(err)
	}
	fmt.Println(right.Claims().Subject, right.Err())

	_ = auth.RevokeSubject(ctx, "alice", auth.Now()) // here, or in another process that shares the denylist
	<-right.Context().Done()
	fmt.Println(right.Err())
	right.Release()

	_, err = keeper.OpenToken(ctx, token.Token.Reveal(), route, nil)
	fmt.Println(err)
	_, err = keeper.OpenToken(ctx, "", route, nil)
	fmt.Println(err)
	_ = keeper.Shutdown(ctx)
	// Output:
	// alice <nil>
	// paseto: Token has been revoked
	// paseto: Token has been revoked
	// paseto: PASETO Authorization Token required
}
