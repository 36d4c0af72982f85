package holders

import (
	"context"
	"errors"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/pasetokit/pasetokit/internal/redistest"
	"github.com/pasetokit/pasetokit/internal/testtool"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/live"
)

// results are what handlers of gRPC return, by subject.
var results = map[string]error{
	"broken": errors.New("no such table: passwords"),
	"picky":  status.Error(codes.FailedPrecondition, "Room is closed"),
}

// TestGRPC looks at what a stream ends with, beside the end of its right.
func TestGRPC(t *testing.T) {
	t.Parallel()
	n := startNode(t, redistest.Start(t).Addr(), live.Config{})
	alice := n.issue(alice("phone"))
	more := metadata.AppendToOutgoingContext(t.Context(), "authorization", "Bearer "+alice)
	for _, row := range []struct {
		name, token string
		ctx         context.Context
		ends        string
	}{
		{"handler returns", alice, t.Context(), "OK "},
		{"handler fails", n.issue(paseto.Grant{Subject: "broken"}), t.Context(), "Internal The server could not answer the request"},
		{"handler says why", n.issue(paseto.Grant{Subject: "picky"}), t.Context(), "FailedPrecondition Room is closed"},
		{"no token", "", t.Context(), "Unauthenticated PASETO Authorization Token required"},
		{"two tokens", alice, more, "Unauthenticated Invalid PASETO format"},
		{"token of nobody's", "v4.local.AAAA", t.Context(), "Unauthenticated Invalid PASETO format"},
	} {
		c := joinGRPC(row.ctx, n, row.token)
		_ = c.finish() // it may have ended
		if ended := testtool.Await(t, c.ended, row.name); ended != row.ends {
			t.Errorf("%s: the stream ends with %q, want %q", row.name, ended, row.ends)
		}
	}
}
