package paseto

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/pasetokit/pasetokit/internal/strictjson"
	"github.com/pasetokit/pasetokit/internal/urlpath"
)

// TicketGrant says what a ticket is bound to, besides its access token.
type TicketGrant struct {
	// Path is the only path at which the ticket can be redeemed: that of the URL
	// which the client opens, without its query. A name in it that may have a
	// slash, percent sign, question mark or number sign must be escaped, see
	// [net/url.PathEscape]; other characters may be: "/ws/jürgen" and
	// "/ws/j%C3%BCrgen" are the same path, "/ws/a/b" and "/ws/a%2Fb" are two.
	// Default any.
	Path string
	// Origin is the only web origin (RFC 6454) whose pages can redeem the
	// ticket, as browsers send it: https://app.example.com. Default any.
	Origin string
	// Implicit is the implicit assertion that the redeeming route requires, see
	// [Requirement.Implicit].
	Implicit []byte
}

// TicketUse says where a ticket is presented.
type TicketUse struct {
	// Path is the path of the URL that the client opened, as it was sent: RawPath
	// of [net/url.URL], or what its EscapedPath returns if RawPath is empty. A prefix
	// that a proxy took away stands before it. Danger: the decoded path makes two
	// different paths equal, and so does EscapedPath alone.
	Path string
	// Origin is the Origin header of the request, empty if it has none.
	Origin string
	// Ready, if not nil, is called after all checks, just before the ticket is used
	// up. If it returns an error, the ticket is refused with that, and can be used
	// again.
	Ready func() error
}

// ticket is the payload of a ticket: its own claims, and those of the access
// token that it stands for.
type ticket struct {
	ID        string          `json:"jti"`
	Type      string          `json:"type"`
	IssuedAt  time.Time       `json:"iat"`
	ExpiresAt time.Time       `json:"exp"`
	Subject   string          `json:"sub,omitempty"`
	Session   string          `json:"sid,omitempty"`
	Path      string          `json:"path,omitempty"`
	Origin    string          `json:"origin,omitempty"`
	Access    json.RawMessage `json:"access"`
	Footer    []byte          `json:"access_footer,omitempty"`
}

// IssueTicket issues a ticket: a token that stands for an access token once,
// within [Config.TicketTTL], for places where the access token itself should not
// be seen. A browser's page cannot set headers on a WebSocket handshake, and
// what it writes into the URL is logged along the way; a ticket in a log is
// worth nothing, since it was used or is too old.
//
// Access are the claims of a valid access token. The ticket has a copy of all
// its claims, and is of the same version and purpose, unless no key issues such:
// then of the configured ones. Where the purpose is [Public] anybody who sees
// the ticket can read them.
//
// Tickets need a denylist that all who redeem them share; the error is
// [ErrNoDenylist] where there is none. It wraps [ErrGrant] where access is not
// that of an access token or the ticket would be too long, and [ErrConfig] where
// no key can issue.
func (a *Authorizer) IssueTicket(access *Claims, g TicketGrant) (Issued, error) {
	switch {
	case a.store == nil:
		return Issued{}, ErrNoDenylist
	case access == nil || access.Type != TypeAccess || access.payload == "":
		return Issued{}, fmt.Errorf("%w: a ticket stands for an access token; its claims come from Verify", ErrGrant)
	case !utf8.ValidString(g.Path) || !utf8.ValidString(g.Origin):
		return Issued{}, fmt.Errorf("%w: Path or Origin is not valid UTF-8", ErrGrant)
	}
	if g.Path != "" {
		path, err := urlpath.Normal(g.Path)
		if err != nil {
			return Issued{}, fmt.Errorf("%w: Path: %w", ErrGrant, err)
		}
		g.Path = path
	}
	now := a.now().UTC().Truncate(time.Second)
	payload, err := encode(ticket{
		ID:        rand.Text(),
		Type:      TypeTicket,
		IssuedAt:  now,
		ExpiresAt: now.Add(a.cfg.TicketTTL.Truncate(time.Second)),
		Subject:   access.Subject,
		Session:   access.Session,
		Path:      g.Path,
		Origin:    g.Origin,
		Access:    json.RawMessage(access.payload),
		Footer:    access.Footer,
	})
	if err != nil {
		return Issued{}, fmt.Errorf("%w: %w", ErrGrant, err)
	}
	grant := Grant{Implicit: g.Implicit}
	grant.Version, grant.Purpose = a.issuable(access)
	issued, err := a.sealPayload(payload, grant)
	if err != nil {
		return Issued{}, err
	}
	a.observe(Event{Kind: EventIssued, Claims: issued.Claims})
	return issued, nil
}

// RedeemTicket uses a ticket up and returns the claims of the access token that
// it stands for, if that is still valid, meets req and is not revoked. Of any
// number of callers with one ticket, on any number of machines, one gets them;
// a ticket that is refused for another reason is not used up, unless the access
// token is revoked at that very moment.
//
// The claims are those of the access token, and so is [Authorizer.Deadline].
// Version and Purpose are the ticket's; see [Authorizer.IssueTicket].
//
// Errors are those of [Authorizer.Verify], and [ErrTicketUsed] and [ErrTicket].
// While the denylist cannot be asked and [DenylistConfig.FailOpen] is set, a
// ticket works any number of times until it expires.
func (a *Authorizer) RedeemTicket(ctx context.Context, token string, req Requirement, use TicketUse) (*Claims, error) {
	if err := req.Validate(); err != nil {
		return nil, err
	}
	own, access, err := a.openTicket(ctx, token, req, use)
	if err == nil {
		err = a.redeem(ctx, own, access, req, use.Ready)
	}
	switch {
	case err == nil:
		a.observe(Event{Kind: EventVerified, Claims: access})
		return access, nil
	case token != "":
		a.observe(Event{Kind: EventRefused, Claims: own, Err: err})
	}
	if req.Optional && access == nil && !errors.Is(err, ErrType) && !errors.Is(err, ErrKeysUnavailable) && ctx.Err() == nil {
		return nil, nil
	}
	return nil, err
}

// openTicket returns the claims of a ticket that is valid at its place, and of
// the access token that it stands for, if that is valid. Access is nil beside
// every error.
func (a *Authorizer) openTicket(ctx context.Context, token string, req Requirement, use TicketUse) (own, access *Claims, err error) {
	own, err = a.decode(ctx, token, Requirement{Implicit: req.Implicit})
	if err != nil {
		return nil, nil, err
	}
	if own.Type != TypeTicket {
		if err := a.validate(own); err != nil {
			return own, nil, err
		}
		return own, nil, refuseWith(ErrType, typeMessage(TypeTicket, own.Type))
	}
	if own.ID == "" || own.ExpiresAt.IsZero() || own.ExpiresAt.Sub(own.IssuedAt) > longestTicket {
		return own, nil, refuse(ErrClaims, "the ticket has no jti, or lives longer than %s", longestTicket)
	}
	if err := a.validateTimes(own, own.ExpiresAt); err != nil {
		return own, nil, err
	}
	access, err = own.buyer(use)
	if err != nil {
		return own, nil, err
	}
	if err := a.validate(access); err != nil {
		return own, nil, err
	}
	return own, access, nil
}

// buyer returns the claims of the access token that a ticket stands for.
func (c *Claims) buyer(use TicketUse) (*Claims, error) {
	var t ticket
	err := strictjson.Object([]byte(c.payload), func(name string, value json.RawMessage) error {
		switch name {
		case "path":
			return json.Unmarshal(value, &t.Path)
		case "origin":
			return json.Unmarshal(value, &t.Origin)
		case "access":
			t.Access = value
		case "access_footer":
			return json.Unmarshal(value, &t.Footer)
		}
		return nil
	})
	switch {
	case err != nil:
		return nil, refuse(ErrClaims, "%w", err)
	case t.Path != "" && urlpath.IsAmbiguous(use.Path):
		return nil, refuse(ErrTicket, "it is bound to the path %.128q and was presented at %.128q, which routers read in two ways; "+
			"beside an escaped slash, the client must escape every character that is not ASCII or not allowed in a URL", t.Path, use.Path)
	case t.Path != "" && !urlpath.Same(t.Path, use.Path):
		return nil, refuse(ErrTicket, "it is bound to the path %.128q and was presented at %.128q%s", t.Path, use.Path, pathHint(t.Path, use.Path))
	case t.Origin != "" && t.Origin != use.Origin:
		return nil, refuse(ErrTicket, "it is bound to the origin %.128q and was presented by %.128q", t.Origin, use.Origin)
	case t.Access == nil:
		return nil, refuse(ErrClaims, "the ticket stands for no access token")
	}
	access, err := parseClaims(t.Access)
	if err != nil {
		return nil, refuse(ErrClaims, "the ticket's access token: %w", err)
	}
	access.Version, access.Purpose, access.Footer, access.kid = c.Version, c.Purpose, t.Footer, c.kid
	return access, nil
}

// pathHint says how to mend what was done to a path on its way, if it looks as if
// something was.
func pathHint(bound, used string) string {
	if prefix := urlpath.Prefix(bound, used); prefix != "" {
		return fmt.Sprintf("; if a proxy takes %.128q away from paths, set PathPrefix of wsauth.Config (websocket.path_prefix) to it", prefix)
	}
	if prefix := urlpath.Prefix(used, bound); prefix != "" {
		return "; a ticket is bound to the path of the URL that its client opens, from the first slash on"
	}
	return ""
}

// redeem admits the access token and then uses the ticket up.
func (a *Authorizer) redeem(ctx context.Context, own, access *Claims, req Requirement, ready func() error) error {
	if a.store == nil {
		return refuse(ErrTicket, "%w", ErrNoDenylist)
	}
	if err := a.admit(ctx, access, req); err != nil {
		return err
	}
	if ready != nil {
		if err := ready(); err != nil {
			return err
		}
	}
	_, first, err := a.store.Consume(ctx, "ticket:"+own.ID, "", a.keptUntil(own.ExpiresAt))
	switch {
	case err != nil:
		return a.denylistFailed(ctx, access, err)
	case !first:
		return ErrTicketUsed.refusal()
	}
	return a.Revoked(ctx, access) // since the first look
}

// longestTicket is the longest lifetime of a ticket, also of one that another issuer made.
const longestTicket = 30 * time.Second
