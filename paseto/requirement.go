package paseto

import (
	"context"
	"fmt"

	"github.com/pasetokit/pasetokit/internal/settings"
)

// Requirement says what a route asks of a token, beyond what the [Authorizer]
// asks of every token. The zero Requirement asks for an access token. The same
// value serves HTTP routes, streams, WebSocket handshakes and [Authorizer.Verify].
type Requirement struct {
	// Type is the required token type. Default [TypeAccess]. A route that
	// requires [TypeRefresh] does not use the token up, and does not notice
	// that [Authorizer.Refresh] has.
	Type string
	// Fresh asks for an access token that comes from a login, not a refresh.
	Fresh bool
	// Optional lets a caller in without claims who brings no token, or one
	// that does not open or is not valid here (form, key, time, issuer,
	// audience). A valid token that fails the rest of the requirement, or is
	// revoked, is still refused; so is a request whose credential is malformed,
	// or that carries two.
	Optional bool
	// Scopes lists scopes that the token must all have.
	Scopes []string
	// Implicit is the implicit assertion that the token was issued with.
	Implicit []byte
	// Base64 expects the token wrapped in standard base64, as Grant.Base64
	// issues it. An unwrapped one is then refused.
	Base64 bool
	// Check decides last, when all else holds and the token is known not to be
	// revoked. Its error refuses the token: an [*Error] as it is, any other as
	// [ErrForbidden].
	//
	// Its context is that of Verify, or of the HTTP request, whose values the renewal of a
	// stream has too. On a WebSocket the values are the same at the handshake, at the first
	// message and at every renewal: those of wsauth.WithConnContext, and without that the
	// request's, which then stay in memory for as long as the connection does; see there for
	// routers that use their values again. [FromContext] returns the claims that the stream
	// or connection has so far, nil before it has any. The context ends with the request, or
	// at the first message and at renewals with the connection.
	Check func(ctx context.Context, claims *Claims) error
}

// Validate reports, as an error that wraps [ErrRequirement], what makes r a
// requirement that no token can meet: freshness is a property of access tokens
// alone, and a scope without its characters is none.
func (r Requirement) Validate() error {
	if r.Fresh && r.tokenType() != TypeAccess {
		return fmt.Errorf("%w: Fresh together with Type %.32q; only access tokens are fresh", ErrRequirement, r.Type)
	}
	if !settings.IsScope(r.tokenType()) {
		return fmt.Errorf("%w: Type: %.32q is not a token type", ErrRequirement, r.Type)
	}
	if r.Type == TypeTicket {
		return fmt.Errorf("%w: Type %q; a ticket stands for an access token, and is redeemed by RedeemTicket", ErrRequirement, TypeTicket)
	}
	for _, scope := range r.Scopes {
		if !settings.IsScope(scope) {
			return fmt.Errorf("%w: Scopes: %.32q is not a scope", ErrRequirement, scope)
		}
	}
	return nil
}

func (r Requirement) tokenType() string {
	if r.Type == "" {
		return TypeAccess
	}
	return r.Type
}
