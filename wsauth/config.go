package wsauth

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/pasetokit/pasetokit/internal/locate"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
)

// Location is where a handshake carries its token.
type Location string

const (
	// Header is a request header, Authorization unless configured otherwise.
	// Browsers cannot set it on a handshake.
	Header Location = "header"
	// Query is a parameter of the URL. Danger: URLs are logged and kept in
	// histories; only for tokens that expire soon.
	Query Location = "query"
	// Cookie is the access token's cookie, which browsers send by themselves.
	// Such a handshake must carry an allowed Origin.
	Cookie Location = "cookie"
	// Subprotocol is the offered subprotocol right after [Marker]. Tokens
	// wrapped in base64 cannot be carried there.
	Subprotocol Location = "subprotocol"
	// Ticket is a parameter of the URL that carries a ticket, which is used up
	// by the handshake; see [paseto.Authorizer.RedeemTicket]. It is the best
	// way for browsers' pages of another origin: the access token is in no URL.
	// It needs a denylist.
	Ticket Location = "ticket"
)

// Marker is the subprotocol that a client offers right before its token, which
// is never echoed. The guard selects one of the application's own subprotocols
// if the client offers any, else Marker.
const Marker = locate.Marker

// NoScheme, as [Config.HeaderScheme], makes the header's value the bare token.
const NoScheme = locate.NoScheme

// Reject says how a refused handshake is answered.
type Reject string

const (
	// RejectClose completes the handshake and closes with code 1008 and the
	// refusal's message: all that a browser's page can see.
	RejectClose Reject = "close"
	// RejectHTTP answers with an HTTP status and a problem document.
	RejectHTTP Reject = "http"
)

// The defaults of [Config].
const (
	DefaultReadLimit    = 64 << 10
	DefaultWriteTimeout = 10 * time.Second
	DefaultCloseTimeout = 2 * time.Second
)

// Config says how a [Guard] treats handshakes and connections. The zero value
// of every field is its documented default.
type Config struct {
	// Locations lists where the token of a handshake may be. Default Header,
	// and Ticket where there is a denylist.
	Locations []Location
	// HeaderName is the header of the location Header. Default Authorization.
	HeaderName string
	// HeaderScheme is the scheme before the token in that header, compared
	// without regard to case. Default Bearer; [NoScheme] for the bare token.
	HeaderScheme string
	// CookieName is the cookie of the location Cookie, prefix included.
	// Default __Host-access_token; see [httpauth.Config.AccessCookieName].
	CookieName string
	// RefreshCookieName is the cookie of routes that require a refresh token.
	// Default __Host-refresh_token.
	RefreshCookieName string
	// QueryKey is the parameter of the location Query. Default token.
	QueryKey string
	// QueryPrefix is a scheme before the token in that parameter. Default
	// none.
	QueryPrefix string

	// TicketKey is the parameter of the location Ticket, and cannot be another
	// parameter of the application's. Default ticket.
	TicketKey string

	// Reject says how a refused handshake is answered. Default RejectClose.
	Reject Reject
	// Realm names the protected area in challenges. Default "api".
	Realm string
	// AllowedOrigins lists the origins, besides the server's own, whose pages
	// may connect: scheme, host and port exactly, as in
	// "https://app.example.com" or "http://localhost:3000". A host that begins
	// with "*." stands for every host below it: "https://*.example.com". A
	// default port may be left out. Default none.
	AllowedOrigins []string
	// Subprotocols lists the application's own subprotocols, the preferred
	// one first. Default none.
	Subprotocols []string

	// ReadLimit is the largest message in bytes that is read; a larger one
	// closes the connection with code 1009. Default 64 KiB.
	ReadLimit int64
	// WriteTimeout is how long a write may wait for a slow peer before the
	// connection is given up. Default 10 seconds.
	WriteTimeout time.Duration
	// CloseTimeout is how long a closing handshake may take before the
	// connection is cut. Default 2 seconds.
	CloseTimeout time.Duration
}

// Option gives a [Guard] one of its collaborators.
type Option func(*Guard)

// WithLogger logs every refused handshake at level Info, and failures of the
// server and panics of handlers at level Error, without tokens. Default, and
// with nil: nothing is logged.
func WithLogger(logger *slog.Logger) Option {
	return func(g *Guard) {
		if logger != nil {
			g.log = logger
		}
	}
}

func (c Config) withDefaults(tickets bool) Config {
	if len(c.Locations) == 0 {
		c.Locations = []Location{Header}
		if tickets {
			c.Locations = append(c.Locations, Ticket)
		}
	}
	c.Locations = slices.Clone(c.Locations)
	c.Subprotocols = slices.Clone(c.Subprotocols)
	c.HeaderName = cmp.Or(c.HeaderName, "Authorization")
	c.HeaderScheme = cmp.Or(c.HeaderScheme, "Bearer")
	c.CookieName = cmp.Or(c.CookieName, httpauth.Config{}.AccessCookieName())
	c.RefreshCookieName = cmp.Or(c.RefreshCookieName, httpauth.Config{}.RefreshCookieName())
	c.QueryKey = cmp.Or(c.QueryKey, "token")
	c.TicketKey = cmp.Or(c.TicketKey, "ticket")
	c.Reject = cmp.Or(c.Reject, RejectClose)
	c.Realm = cmp.Or(c.Realm, "api")
	c.ReadLimit = cmp.Or(c.ReadLimit, DefaultReadLimit)
	c.WriteTimeout = cmp.Or(c.WriteTimeout, DefaultWriteTimeout)
	c.CloseTimeout = cmp.Or(c.CloseTimeout, DefaultCloseTimeout)
	return c
}

// validate reports everything that is wrong with a configuration whose
// defaults are filled in, origins excepted.
func (c Config) validate() error {
	var errs []error
	bad := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("%w: %s", paseto.ErrConfig, fmt.Sprintf(format, args...)))
	}
	if err := locate.ValidateLocations(c.Locations, locate.HandshakeLocation); err != nil {
		bad("Locations: %s", err.Message)
	}
	for _, n := range []struct{ field, name string }{{"HeaderName", c.HeaderName}, {"CookieName", c.CookieName}, {"RefreshCookieName", c.RefreshCookieName}} {
		if !locate.IsToken(n.name) {
			bad("%s %.64q is not the name of a header or cookie", n.field, n.name)
		}
	}
	for _, s := range []struct{ field, scheme string }{{"HeaderScheme", c.HeaderScheme}, {"QueryPrefix", c.QueryPrefix}} {
		if !locate.IsScheme(s.scheme) {
			bad("%s %.64q has a space or other separator in it", s.field, s.scheme)
		}
	}
	if c.TicketKey == c.QueryKey && slices.Contains(c.Locations, Query) && slices.Contains(c.Locations, Ticket) {
		bad("TicketKey and QueryKey are the same")
	}
	for _, protocol := range c.Subprotocols {
		if !validProtocol(protocol) {
			bad("Subprotocols: %.64q is not a subprotocol of an application", protocol)
		}
	}
	if !locate.IsRealm(c.Realm) {
		bad("Realm is not printable ASCII without quotes and backslashes")
	}
	if c.Reject != RejectClose && c.Reject != RejectHTTP {
		bad("Reject is %.16q; expected %q or %q", string(c.Reject), string(RejectClose), string(RejectHTTP))
	}
	for _, limit := range []struct {
		name  string
		value int64
	}{{"ReadLimit", c.ReadLimit}, {"WriteTimeout", int64(c.WriteTimeout)}, {"CloseTimeout", int64(c.CloseTimeout)}} {
		if limit.value < 0 {
			bad("%s is negative; expected 0 (for the default) or more", limit.name)
		}
	}
	return errors.Join(errs...)
}
