package paseto_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/pasetokit/pasetokit/paseto"
)

// A ticket stands for an access token in a URL, once and for seconds.
func ExampleAuthorizer_IssueTicket() {
	auth, ctx := exampleAuthorizer(), context.Background()
	login, err := auth.IssuePair(paseto.Grant{Subject: "alice", Scopes: []string{"chat"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	access, err := auth.Verify(ctx, login.Access.Token.Reveal(), paseto.Requirement{})
	if err != nil {
		fmt.Println(err)
		return
	}
	ticket, err := auth.IssueTicket(access, paseto.TicketGrant{Path: "/ws"})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(ticket, "for", ticket.Claims.ExpiresAt.Sub(ticket.Claims.IssuedAt))

	_, err = auth.Verify(ctx, ticket.Token.Reveal(), paseto.Requirement{})
	fmt.Println(err)
	// Output:
	// ticket token (redacted) for 30s
	// paseto: Access token required but ticket provided
}

func ExampleAuthorizer_RedeemTicket() {
	auth, ctx := exampleAuthorizer(), context.Background()
	access, err := auth.IssueAccess(paseto.Grant{Subject: "alice", Scopes: []string{"chat"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	ticket, err := auth.IssueTicket(access.Claims, paseto.TicketGrant{Path: "/ws"})
	if err != nil {
		fmt.Println(err)
		return
	}
	chat := paseto.Requirement{Scopes: []string{"chat"}}

	_, err = auth.RedeemTicket(ctx, ticket.Token.Reveal(), chat, paseto.TicketUse{Path: "/admin"})
	fmt.Println("elsewhere:", errors.Is(err, paseto.ErrTicket))
	claims, err := auth.RedeemTicket(ctx, ticket.Token.Reveal(), chat, paseto.TicketUse{Path: "/ws"})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(claims.Subject, claims.Type, claims.Scopes)
	_, err = auth.RedeemTicket(ctx, ticket.Token.Reveal(), chat, paseto.TicketUse{Path: "/ws"})
	fmt.Println("again:", err)
	// Output:
	// elsewhere: true
	// alice access [chat]
	// again: paseto: Ticket has been used
}
