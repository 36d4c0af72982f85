package wsauth

import (
	"context"
	"net/http"

	"github.com/pasetokit/pasetokit/paseto"
)

// A connection has the values of one context for as long as it lives: its handler sees
// them, and so does the Check of its requirement, at the handshake, at the first message
// and at every renewal.

// valuesOf returns the context whose values a connection that r opens has. It calls
// [WithConnContext].
func (g *Guard) valuesOf(r *http.Request, req paseto.Requirement) context.Context {
	switch {
	case g.connContext != nil:
		return context.WithoutCancel(g.connContext(context.Background(), r))
	case req.Check != nil:
		return context.WithoutCancel(r.Context())
	}
	return context.Background() // which takes no memory
}

// atHandshake returns req with a Check that sees the values of the connection that is to
// be opened, and no claims, since none are in force.
func atHandshake(req paseto.Requirement, values func() context.Context) paseto.Requirement {
	check := req.Check
	if check != nil {
		req.Check = func(ctx context.Context, claims *paseto.Claims) error {
			return check(checkContext{Context: ctx, values: paseto.NewContext(values(), nil)}, claims) //nolint:contextcheck // It ends with ctx.
		}
	}
	return req
}

// atRenewal returns req with a Check that sees the values of the connection, and those of
// the caller of [Conn.Renew] for what the connection has none of.
func (c *Conn) atRenewal(req paseto.Requirement) paseto.Requirement {
	check := req.Check
	if check != nil {
		req.Check = func(ctx context.Context, claims *paseto.Claims) error {
			return check(checkContext{Context: ctx, values: context.WithoutCancel(c.ctx), more: ctx}, claims) //nolint:contextcheck // It ends with ctx.
		}
	}
	return req
}

// checkContext is the context of a check. It ends as one context does, and has the values
// of others.
type checkContext struct {
	context.Context
	values context.Context
	more   context.Context // for what is not among values; may be nil
}

// Value implements [context.Context].
func (ctx checkContext) Value(key any) any {
	value := ctx.values.Value(key)
	if value == nil && ctx.more != nil {
		return ctx.more.Value(key)
	}
	return value
}

// whileOpen returns a context that ends with ctx, or with the connection.
func (c *Conn) whileOpen(ctx context.Context) (_ context.Context, stop func()) {
	if ctx == c.ctx {
		return ctx, func() {}
	}
	ctx, cancel := context.WithCancelCause(ctx)
	unwatch := context.AfterFunc(c.ctx, func() { cancel(context.Cause(c.ctx)) })
	return ctx, func() {
		unwatch()
		cancel(nil)
	}
}
