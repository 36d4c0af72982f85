package paseto_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/paseto"
)

// A server makes one Authorizer and keeps it. This one shares its key with no
// other: a program with more than one process reads it from a file or the
// environment with ParseKey.
func ExampleNew() {
	auth, err := paseto.New(paseto.Config{
		Keys:      []paseto.Key{paseto.NewLocalKey()},
		AccessTTL: 5 * time.Minute,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(auth.Config().AccessTTL, auth.CanIssue(), auth.CanRevoke())

	_, err = paseto.New(paseto.Config{})
	fmt.Println(err)
	// Output:
	// 5m0s true false
	// paseto: invalid configuration: Keys is empty; without a key no token can be issued or opened
}

// A service that only verifies is given the public half of the key pair.
func ExampleKey_PublicKey() {
	secret := paseto.NewSecretKey()
	public, err := secret.PublicKey()
	if err != nil {
		fmt.Println(err)
		return
	}
	issuer, _ := paseto.New(paseto.Config{Keys: []paseto.Key{secret}, Purpose: paseto.Public})
	verifier, _ := paseto.New(paseto.Config{Keys: []paseto.Key{public}, Purpose: paseto.Public})

	issued, _ := issuer.IssueAccess(paseto.Grant{Subject: "alice"})
	claims, err := verifier.Verify(context.Background(), issued.Token.Reveal(), paseto.Requirement{})
	fmt.Println(claims.Subject, err, verifier.CanIssue())
	// Output: alice <nil> false
}

// exampleAuthorizer returns an Authorizer that can revoke.
func exampleAuthorizer() *paseto.Authorizer {
	auth, err := paseto.New(
		paseto.Config{Keys: []paseto.Key{paseto.NewLocalKey()}},
		paseto.WithDenylist(denylist.NewMemory()),
	)
	if err != nil {
		panic(err)
	}
	return auth
}

// A login returns a pair of tokens.
func ExampleAuthorizer_IssuePair() {
	auth := exampleAuthorizer()
	pair, err := auth.IssuePair(paseto.Grant{
		Subject: "alice",
		Fresh:   true,
		Scopes:  []string{"read", "write"},
		Claims:  map[string]string{"name": "Alice"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	access, refresh := pair.Access.Claims, pair.Refresh.Claims
	fmt.Println(pair.Access, "for", access.ExpiresAt.Sub(access.IssuedAt))
	fmt.Println(pair.Refresh, "for", refresh.ExpiresAt.Sub(refresh.IssuedAt))
	fmt.Println("one session:", access.Session == refresh.Session)
	// Output:
	// access token (redacted) for 15m0s
	// refresh token (redacted) for 720h0m0s
	// one session: true
}

// Tokens of a type of your own are accepted only where that type is required.
func ExampleAuthorizer_Issue() {
	auth, ctx := exampleAuthorizer(), context.Background()
	issued, err := auth.Issue("email-verify", paseto.Grant{Subject: "alice", TTL: time.Hour})
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = auth.Verify(ctx, issued.Token.Reveal(), paseto.Requirement{})
	fmt.Println(err)
	claims, err := auth.Verify(ctx, issued.Token.Reveal(), paseto.Requirement{Type: "email-verify"})
	fmt.Println(claims.Subject, err)
	// Output:
	// paseto: Access token required but email-verify provided
	// alice <nil>
}

func ExampleAuthorizer_Verify() {
	auth, ctx := exampleAuthorizer(), context.Background()
	issued, err := auth.IssueAccess(paseto.Grant{
		Subject: "alice", Scopes: []string{"read"}, Claims: map[string]string{"name": "Alice"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}

	claims, err := auth.Verify(ctx, issued.Token.Reveal(), paseto.Requirement{Scopes: []string{"read"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	var profile struct {
		Name string `json:"name"`
	}
	if err := claims.Decode(&profile); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(claims.Subject, profile.Name)

	_, err = auth.Verify(ctx, issued.Token.Reveal(), paseto.Requirement{Scopes: []string{"admin"}})
	if refusal, ok := errors.AsType[*paseto.Error](err); ok {
		fmt.Println(refusal.Code, "-", refusal.Message)
	}
	// Output:
	// alice Alice
	// scope_insufficient - Token scope is not sufficient
}

// An optional route lets in whoever brings no token.
func ExampleAuthorizer_Verify_optional() {
	claims, err := exampleAuthorizer().Verify(context.Background(), "", paseto.Requirement{Optional: true})
	fmt.Println(claims.Anonymous(), err)
	// Output: true <nil>
}

// With a denylist, a refresh token is used up. Two tabs that present it at the
// same moment get the same pair.
func ExampleAuthorizer_Refresh() {
	auth, ctx := exampleAuthorizer(), context.Background()
	login, err := auth.IssuePair(paseto.Grant{Subject: "alice", Fresh: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	next, err := auth.Refresh(ctx, login.Refresh.Token.Reveal(), paseto.Requirement{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(next.Access.Claims.Subject, "fresh:", next.Access.Claims.Fresh)

	again, err := auth.Refresh(ctx, login.Refresh.Token.Reveal(), paseto.Requirement{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("the same pair:", again.Refresh.Claims.ID == next.Refresh.Claims.ID)
	// Output:
	// alice fresh: false
	// the same pair: true
}

// A refresh token that is presented again after the grace has been copied by
// somebody. The session ends, for the thief and its owner alike.
func ExampleAuthorizer_Refresh_reuse() {
	now := time.Now()
	auth, err := paseto.New(
		paseto.Config{Keys: []paseto.Key{paseto.NewLocalKey()}, RefreshGrace: 10 * time.Second},
		paseto.WithDenylist(denylist.NewMemory()),
		paseto.WithClock(func() time.Time { return now }),
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	login, err := auth.IssuePair(paseto.Grant{Subject: "alice"})
	if err != nil {
		fmt.Println(err)
		return
	}
	next, err := auth.Refresh(ctx, login.Refresh.Token.Reveal(), paseto.Requirement{})
	if err != nil {
		fmt.Println(err)
		return
	}

	now = now.Add(time.Minute)
	_, err = auth.Refresh(ctx, login.Refresh.Token.Reveal(), paseto.Requirement{})
	fmt.Println("presented again:", errors.Is(err, paseto.ErrReused))
	_, err = auth.Verify(ctx, next.Access.Token.Reveal(), paseto.Requirement{})
	fmt.Println("what came of it:", err)
	// Output:
	// presented again: true
	// what came of it: paseto: Token has been revoked
}

func ExampleAuthorizer_Revoke() {
	auth, ctx := exampleAuthorizer(), context.Background()
	issued, err := auth.IssueAccess(paseto.Grant{Subject: "alice"})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := auth.Revoke(ctx, issued.Claims); err != nil {
		fmt.Println(err)
		return
	}
	_, err = auth.Verify(ctx, issued.Token.Reveal(), paseto.Requirement{})
	fmt.Println(err)
	// Output: paseto: Token has been revoked
}

// A logout ends the session: both tokens of the pair and all that came of them.
func ExampleAuthorizer_RevokeSession() {
	auth, ctx := exampleAuthorizer(), context.Background()
	pair, err := auth.IssuePair(paseto.Grant{Subject: "alice"})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := auth.RevokeSession(ctx, pair.Access.Claims.Session); err != nil {
		fmt.Println(err)
		return
	}
	_, err = auth.Refresh(ctx, pair.Refresh.Token.Reveal(), paseto.Requirement{})
	fmt.Println(err)
	// Output: paseto: Token has been revoked
}

// A changed password ends every session of its owner.
func ExampleAuthorizer_RevokeSubject() {
	auth, ctx := exampleAuthorizer(), context.Background()
	issued, err := auth.IssueAccess(paseto.Grant{Subject: "alice"})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := auth.RevokeSubject(ctx, "alice", time.Time{}); err != nil {
		fmt.Println(err)
		return
	}
	_, err = auth.Verify(ctx, issued.Token.Reveal(), paseto.Requirement{})
	fmt.Println(err)
	// Output: paseto: Token has been revoked
}

func ExampleFromContext() {
	ctx := paseto.NewContext(context.Background(), &paseto.Claims{Subject: "alice"})
	fmt.Println(paseto.FromContext(ctx).Subject)
	fmt.Println(paseto.FromContext(context.Background()).Anonymous())
	// Output:
	// alice
	// true
}
