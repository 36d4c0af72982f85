package wsauth

import (
	"context"
	"net/http"

	"github.com/pasetokit/pasetokit/paseto"
)

// A connection has the values of one context for as long as it is open. Its handler sees them,
// and so does the Check of its requirement: at the handshake, at the first message and at
// every renewal.

// valuesOf returns the context that has the values of the connection that r opens. It calls the
// function of [WithConnContext].
func (g *Guard) valuesOf(r *http.Request, req paseto.Requirement) context.Context {
	switch {
	case g.connContext != nil:
		return context.WithoutCancel(g.connContext(context.Background(), r))
	case req.Check != nil:
		return context.WithoutCancel(r.Context())
	}
	return context.Background() // keeps nothing in memory
}

// atHandshake returns req with a Check that sees the values of the connection. The Check sees no
// claims in force, because there are none yet.
func atHandshake(req paseto.Requirement, values func() context.Context) paseto.Requirement {
	check := req.Check
	if check != nil {
		req.Check = func(ctx context.Context, claims *paseto.Claims) error {
			return check(checkContext{Context: ctx, values: paseto.NewContext(values(), nil)}, claims)
		}
	}
	return req
}

// checkContext is the context of a Check. It ends with one context, and has the values of
// another.
type checkContext struct {
	context.Context
	values context.Context
}

// Value implements [context.Context].
func (ctx checkContext) Value(key any) any { return ctx.values.Value(key) }
