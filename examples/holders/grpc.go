package holders

import (
	"cmp"
	"context"
	"errors"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/pasetokit/pasetokit/paseto/httpauth"
	"github.com/pasetokit/pasetokit/paseto/live"
)

// Streams guards streams of google.golang.org/grpc. When the right of a stream ends, it ends the stream with the status of the
// cause, even if the handler is busy. The handler runs on another goroutine: an interceptor that recovers panics goes behind Streams.
func Streams(keeper *live.Keeper, route *live.Route) grpc.StreamServerInterceptor {
	return func(srv any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handle grpc.StreamHandler) error {
		sent := strings.Join(metadata.ValueFromIncomingContext(stream.Context(), "authorization"), ",")
		right, err := keeper.OpenToken(stream.Context(), strings.TrimPrefix(sent, "Bearer "), route, nil)
		if err != nil {
			return told(err)
		}
		go func() {
			defer right.Release()
			right.GiveUp(cmp.Or(handle(srv, &guarded{stream, right}), error(live.ErrClosed)))
		}()
		<-right.Context().Done()
		if cause := right.Err(); !errors.Is(cause, live.ErrClosed) {
			return told(cause)
		}
		return nil // the handler has returned
	}
}

type guarded struct {
	grpc.ServerStream
	right *live.Right
}

func (s *guarded) Context() context.Context { return s.right.Context() }
func (s *guarded) RecvMsg(m any) error      { return cmp.Or(s.ServerStream.RecvMsg(m), told(s.right.Err())) }
func (s *guarded) SendMsg(m any) error {
	if cause := s.right.Err(); cause != nil {
		return told(cause)
	}
	return s.ServerStream.SendMsg(m)
}

// told returns an error for gRPC: a status of the handler as it is, and the status of a refusal for any other error.
func told(err error) error {
	if _, own := status.FromError(err); own {
		return err
	}
	return status.Error(cmp.Or(codeOf[httpauth.Status(err)], codes.Internal), httpauth.Refusal(err).Message)
}

var codeOf = map[int]codes.Code{
	401: codes.Unauthenticated, 403: codes.PermissionDenied, 409: codes.Aborted, 429: codes.ResourceExhausted, 503: codes.Unavailable,
}
