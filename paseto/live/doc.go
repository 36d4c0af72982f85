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
// The package knows neither net/http nor WebSockets. httpauth.Web.Stream and wsauth.Guard
// open their rights with it. A program opens rights itself for anything else;
// docs/rights.md shows how.
//
// # Why a right ends
//
// A right ends once, for one cause. [Right.Err] returns it, and so does [context.Cause] of
// the right's context:
//
//   - the token has expired without renewal, and the Authorizer's leeway is over: [paseto.ErrExpired];
//   - the token, its session or its subject is revoked, in this process or in another one
//     that shares the denylist: [paseto.ErrRevoked];
//   - the token's key is taken out: [paseto.ErrKeyWithdrawn], at the next check of all rights;
//   - the right is as old as [Config.MaxLifetime]: [ErrLifetime];
//   - the subject has opened another right, and may not have both: [ErrReplaced];
//   - the denylist could not be asked for [Config.MaxUnchecked]: [paseto.ErrUnavailable];
//   - [Keeper.Shutdown] was called: [ErrShutdown];
//   - the program called [Right.Release]: [ErrClosed]; or [Right.End], with a cause of its own.
//
// # How a program learns of the end
//
// The context of the right ends. What cannot wait for a context, such as a connection that
// has to be closed, implements [Holder]: its method is called once. The denylist tells every
// process that shares it of a revocation at once. If that message is lost, the check of all
// rights finds the revocation, at [Config.RecheckInterval].
//
// # What it costs
//
// A keeper has a few goroutines and one timer, whatever the number of rights. A right takes
// less than 600 bytes besides its claims. It costs the same to open one whatever its subject
// has open already. A revocation looks only at the rights that it names.
package live
