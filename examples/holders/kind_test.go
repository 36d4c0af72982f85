package holders

import (
	"bufio"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/coder/websocket"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/pasetokit/pasetokit/internal/testtool"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
	"github.com/pasetokit/pasetokit/paseto/live"
)

// kind is a kind of holder, as its clients see it.
type kind struct {
	name string
	// join returns a client that has shown a token. Whether that is let in, it hears later.
	join func(ctx context.Context, n *node, token string) *client
	// ends and refusals are what clients are told of a cause besides its message: when their right ends, and instead of
	// one.
	ends, refusals map[paseto.Code]string
}

var kinds = []kind{
	{
		name: "/events", join: joinEvents,
		ends: map[paseto.Code]string{
			paseto.ErrExpired: "token_expired", paseto.ErrRevoked: "token_revoked", paseto.ErrUnavailable: "denylist_unavailable",
			live.ErrReplaced: "connection_replaced",
		},
		refusals: map[paseto.Code]string{paseto.ErrUnavailable: "503", live.ErrTooMany: "429"},
	}, {
		name: "/socket", join: joinSocket,
		ends: map[paseto.Code]string{
			paseto.ErrExpired: "1008", paseto.ErrRevoked: "1008", paseto.ErrUnavailable: "1013", live.ErrReplaced: "1008",
		},
		refusals: map[paseto.Code]string{paseto.ErrUnavailable: "503", live.ErrTooMany: "429"},
	}, {
		name: "/test/echo", join: joinGRPC,
		ends: map[paseto.Code]string{
			paseto.ErrExpired: "Unauthenticated", paseto.ErrRevoked: "Unauthenticated", paseto.ErrUnavailable: "Unavailable",
			live.ErrReplaced: "Aborted",
		},
		refusals: map[paseto.Code]string{paseto.ErrUnavailable: "Unavailable", live.ErrTooMany: "ResourceExhausted"},
	},
}

// client is one with a token.
type client struct {
	say    func(string) error
	said   chan string  // to it
	ended  chan string  // what it is told of the cause, and the message
	leave  func()       // without a word
	finish func() error // says that it has no more to say, of gRPC alone
}

// listen has a client hear what receive returns, until that fails.
func (c *client) listen(receive func() (string, error), describe func(error) string) *client {
	go func() {
		for {
			text, err := receive()
			if err != nil {
				c.ended <- describe(err)
				c.leave() // it has ended, but not for all clients
				return
			}
			c.said <- text
		}
	}()
	return c
}

func newClient() *client {
	return &client{said: make(chan string, 10), ended: make(chan string, 1), leave: func() {}}
}

// joins is join for a client that must be let in. It comes again while Redis is too slow.
func (k kind) joins(t testing.TB, n *node, g paseto.Grant) *client {
	t.Helper()
	for tries := 0; ; tries++ {
		c := k.join(t.Context(), n, n.issue(g))
		select {
		case said := <-c.said:
			if said != "hello "+g.Subject {
				t.Fatalf("%s: the handler says %q", k.name, said)
			}
			t.Cleanup(c.leave)
			return c
		case ended := <-c.ended:
			if tries > 20 || ended != k.refused(paseto.ErrUnavailable) {
				t.Fatalf("%s: a client is not let in: %s", k.name, ended)
			}
		}
	}
}

func (k kind) end(cause paseto.Code) string     { return k.ends[cause] + " " + cause.Message() }
func (k kind) refused(cause paseto.Code) string { return k.refusals[cause] + " " + cause.Message() }

// wantEnd expects that a client is told of the end of its right, and why.
func (k kind) wantEnd(t testing.TB, c *client, cause paseto.Code) {
	t.Helper()
	if got, want := testtool.Await(t, c.ended, k.name+" ends"), k.end(cause); got != want {
		t.Errorf("%s: the client is told %q, want %q", k.name, got, want)
	}
}

// wantRefused expects that a client with a new token is refused.
func (k kind) wantRefused(t testing.TB, n *node, g paseto.Grant, cause paseto.Code) {
	t.Helper()
	c := k.join(t.Context(), n, n.issue(g))
	defer c.leave()
	if got, want := testtool.Await(t, c.ended, k.name+" is refused"), k.refused(cause); got != want {
		t.Errorf("%s: the client is told %q, want %q", k.name, got, want)
	}
}

// wantOpen expects that messages go both ways.
func (k kind) wantOpen(t testing.TB, c *client) {
	t.Helper()
	if err := c.say("still here?"); err != nil {
		t.Errorf("%s: %v", k.name, err)
	} else if said := testtool.Await(t, c.said, k.name+" echoes"); said != "still here?" {
		t.Errorf("%s: the handler says %q", k.name, said)
	}
}

func joinEvents(ctx context.Context, n *node, token string) *client {
	c := newClient()
	ctx, c.leave = context.WithCancel(ctx)
	name, posts := rand.Text(), make(chan string, 1)
	n.posts.Store(name, posts)
	c.say = func(text string) error { posts <- text; return nil }
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, n.http.URL+"/events?client="+name, http.NoBody)
	if err != nil {
		c.ended <- err.Error()
		return c
	}
	r.Header.Set("Authorization", "Bearer "+token)
	res, err := n.http.Client().Do(r)
	if err != nil || res.StatusCode != http.StatusOK {
		c.ended <- describeAnswer(res, err)
		return c
	}
	lines := bufio.NewScanner(res.Body)
	return c.listen(func() (string, error) {
		for isEnd := false; lines.Scan(); {
			data, ok := strings.CutPrefix(lines.Text(), "data: ")
			switch {
			case !ok:
				isEnd = lines.Text() == "event: end"
			case isEnd:
				var end httpauth.EndEvent
				err := json.Unmarshal([]byte(data), &end)
				return "", cmp.Or(err, errors.New(string(end.Code)+" "+end.Message))
			default:
				return data, nil
			}
		}
		return "", cmp.Or(lines.Err(), io.ErrUnexpectedEOF)
	}, error.Error)
}

func (n *node) serveEvents(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	events, err := httpauth.Events(r)
	if err != nil {
		return // its right has ended
	}
	stored, _ := n.posts.Load(r.FormValue("client"))
	posts, _ := stored.(chan string)
	n.serve(ctx, func(text string) error { return events.Send(httpauth.Event{Data: text}) }, func() (string, error) {
		select {
		case text := <-posts:
			return text, nil
		case <-ctx.Done():
			return "", context.Cause(ctx)
		}
	})
}

func joinSocket(ctx context.Context, n *node, token string) *client {
	c := newClient()
	conn, res, err := websocket.Dial(ctx, n.http.URL+"/socket", &websocket.DialOptions{HTTPHeader: http.Header{"Authorization": {"Bearer " + token}}})
	if err != nil {
		c.ended <- describeAnswer(res, err)
		return c
	}
	c.leave = func() { _ = conn.CloseNow() }
	c.say = func(text string) error { return conn.Write(ctx, websocket.MessageText, []byte(text)) }
	return c.listen(func() (string, error) {
		_, data, err := conn.Read(ctx)
		return string(data), err
	}, func(err error) string {
		closed, ok := errors.AsType[websocket.CloseError](err)
		if !ok {
			return err.Error()
		}
		return fmt.Sprintf("%d %s", closed.Code, closed.Reason)
	})
}

// describeAnswer describes a refusal over HTTP.
func describeAnswer(res *http.Response, err error) string {
	if res == nil {
		return err.Error()
	}
	var problem httpauth.Problem
	if err := json.NewDecoder(res.Body).Decode(&problem); err != nil {
		return fmt.Sprintf("%s %v", res.Status, err)
	}
	return fmt.Sprintf("%d %s", res.StatusCode, problem.Detail)
}

func (n *node) serveSocket(ctx context.Context, conn *websocket.Conn, read Read) {
	n.serve(ctx, func(text string) error {
		return conn.Write(ctx, websocket.MessageText, []byte(text))
	}, func() (string, error) {
		_, data, err := read()
		return string(data), err
	})
}

func dialGRPC(t testing.TB, address string) *grpc.ClientConn {
	t.Helper()
	return must(grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials())))(t)
}

func joinGRPC(ctx context.Context, n *node, token string) *client {
	c := newClient()
	ctx, c.leave = context.WithCancel(metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+token))
	describe := func(err error) string {
		if errors.Is(err, io.EOF) {
			return "OK "
		}
		told := status.Convert(err)
		return fmt.Sprintf("%s %s", told.Code(), told.Message())
	}
	stream, err := n.grpc.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, "/test/echo")
	if err != nil {
		c.ended <- describe(err)
		return c
	}
	c.finish = stream.CloseSend
	c.say = func(text string) error { return stream.SendMsg(wrapperspb.String(text)) }
	return c.listen(func() (string, error) { return receiveGRPC(stream) }, describe)
}

func receiveGRPC(stream interface{ RecvMsg(m any) error }) (string, error) {
	var m wrapperspb.StringValue
	err := stream.RecvMsg(&m)
	return m.GetValue(), err
}

// echo is a method of gRPC.
func (n *node) echo() grpc.StreamDesc {
	return grpc.StreamDesc{
		StreamName: "echo", ServerStreams: true, ClientStreams: true,
		Handler: func(_ any, stream grpc.ServerStream) error {
			n.serve(stream.Context(),
				func(text string) error { return stream.SendMsg(wrapperspb.String(text)) },
				func() (string, error) { return receiveGRPC(stream) })
			return results[paseto.FromContext(stream.Context()).Subject]
		},
	}
}
