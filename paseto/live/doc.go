// Package live ends what a token keeps open when the token's right ends: WebSockets,
// streams of server-sent events, long downloads, gRPC streams, whatever outlives the
// request that showed the token.
//
//	keeper, err := live.New(auth, live.Config{})
//	route := &live.Route{Name: "/chat", Requirement: req}
//
//	right, err := keeper.OpenToken(ctx, token, route, nil)
//	if err != nil {
//		return err // a *paseto.Error that may be shown to the client
//	}
//	defer right.Release()
//	serve(right.Context()) // ends with the right
//
// It knows neither net/http nor WebSockets. httpauth.Web.Stream and wsauth.Guard hold
// their rights with it; a program of any other kind does so itself. docs/rights.md shows how.
//
// # Why a right ends
//
// A right ends once, with one cause, which [context.Cause] of its context tells:
//
//   - its token expires, the Authorizer's leeway added, and was not renewed: [paseto.ErrExpired];
//   - its token, session or subject is revoked, in this process or, through the denylist,
//     in another one: [paseto.ErrRevoked];
//   - its key is taken out: [paseto.ErrKeyWithdrawn], at the next check of all rights;
//   - it is as old as [Config.MaxLifetime]: [ErrLifetime];
//   - its subject opens another right, and may not have both: [ErrReplaced];
//   - the denylist could not be asked for [Config.MaxUnchecked]: [paseto.ErrUnavailable];
//   - [Keeper.Shutdown]: [ErrShutdown];
//   - the program says so, by [Right.End], or lets go of it by [Right.Release]: [ErrClosed].
//
// # How it is told
//
// The context ends. Who cannot wait for that, such as what has to close a connection, is a
// [Holder], and is called once. Revocations arrive as soon as the denylist tells, in every
// process that shares it; what a lost message would miss is found by a check of all rights
// at [Config.RecheckInterval].
//
// # What it costs
//
// A keeper has a few goroutines and one timer, whatever the number of rights. A right takes
// less than 600 bytes beside its claims. To open one costs the same whatever its subject has
// open already, and a revocation looks at the rights that it names and at no other.
package live
