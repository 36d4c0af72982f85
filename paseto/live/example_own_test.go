package live_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"time"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/live"
)

var reports = live.Route{Name: "reports", Requirement: paseto.Requirement{Scopes: []string{"reports"}}}

// report writes lines until there are no more, or its caller's right ends.
func report(ctx context.Context, keeper *live.Keeper, token string, lines <-chan string, write func(string)) error {
	right, err := keeper.OpenToken(ctx, token, &reports, nil)
	if err != nil {
		return err
	}
	defer right.Release()
	for {
		select {
		case line, more := <-lines:
			if err := right.Err(); err != nil || !more {
				return err
			}
			write(line)
		case <-right.Context().Done():
			return right.Err() // such as paseto.ErrRevoked
		}
	}
}

// A function that runs for long ends with the right of its caller.
func ExampleRight_Context() {
	auth, keeper := newDemo()
	defer func() { _ = keeper.Shutdown(context.Background()) }()
	token, err := auth.IssueAccess(paseto.Grant{Subject: "alice", Scopes: []string{"reports"}})
	if err != nil {
		panic(err)
	}
	lines, written, ended := make(chan string), make(chan string), make(chan error)
	go func() {
		ended <- report(context.Background(), keeper, token.Token.Reveal(), lines, func(line string) { written <- line })
	}()
	lines <- "line 1"
	fmt.Println(<-written)
	_ = auth.RevokeSubject(context.Background(), "alice", auth.Now())
	fmt.Println(<-ended)
	// Output:
	// line 1
	// paseto: Token has been revoked
}

var echoes = live.Route{Name: "echo"}

// peer is the connection of a protocol of the program's own. It ends with its right.
type peer struct{ net.Conn }

// RightEnded implements live.Holder. It must not block.
func (p peer) RightEnded(error) { _ = p.Close() }

// echo reads the token from the first line of a connection, and sends all others back.
func echo(ctx context.Context, keeper *live.Keeper, conn net.Conn) error {
	defer func() { _ = conn.Close() }()
	right, err := keeper.Reserve(ctx, &echoes, peer{conn}) // a place first: a server that is full reads nothing
	if err != nil {
		return err
	}
	defer right.Release()

	_ = conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	in := bufio.NewScanner(conn)
	in.Scan()
	claims, err := keeper.Authorizer().Verify(ctx, in.Text(), echoes.Requirement)
	if err != nil {
		return err
	}
	if err := right.Admit(ctx, claims); err != nil { // from now on revocations end it
		return err
	}
	_ = conn.SetReadDeadline(time.Time{})
	if !right.Start() { // from now on it is open, and the observer knows
		return right.Err()
	}
	for in.Scan() && right.Err() == nil {
		_, _ = fmt.Fprintln(conn, in.Text())
	}
	return right.Err()
}

// A connection of the program's own protocol is closed when its right ends.
func ExampleKeeper_Reserve() {
	auth, keeper := newDemo()
	defer func() { _ = keeper.Shutdown(context.Background()) }()
	token, err := auth.IssueAccess(paseto.Grant{Subject: "alice"})
	if err != nil {
		panic(err)
	}
	client, server := net.Pipe()
	ended := make(chan error)
	go func() { ended <- echo(context.Background(), keeper, server) }()

	_, _ = fmt.Fprintln(client, token.Token.Reveal())
	_, _ = fmt.Fprintln(client, "hello")
	in := bufio.NewScanner(client)
	in.Scan()
	fmt.Println(in.Text())
	_ = auth.RevokeSubject(context.Background(), "alice", auth.Now())
	fmt.Println(in.Scan(), <-ended)
	// Output:
	// hello
	// false paseto: Token has been revoked
}

// newDemo returns a keeper, and the Authorizer whose tokens give its rights.
func newDemo() (*paseto.Authorizer, *live.Keeper) {
	auth, err := paseto.New(paseto.Config{Keys: []paseto.Key{paseto.NewLocalKey()}}, paseto.WithDenylist(denylist.NewMemory()))
	if err != nil {
		panic(err)
	}
	keeper, err := live.New(auth, live.Config{})
	if err != nil {
		panic(err)
	}
	return auth, keeper
}
