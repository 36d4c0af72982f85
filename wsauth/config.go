package wsauth

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/pasetokit/pasetokit/internal/locate"
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
	// Message is the first message of the connection, where the handshake
	// carries no token at another location of the route:
	//
	//	{"type":"auth","token":"v4.local.…"}
	//
	// It is answered in a message of the same type, with expires_at and
	// expires_in, when the connection will end. Only then is it the
	// application's; see [Config.MessageTimeout] and [Limits.Pending]. On an
	// optional route a client without a token sends the message without one.
	Message Location = "message"
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
	// RejectClose completes the handshake and closes with the refusal's code, see
	// [Closures], and its message: all that a browser's page can see.
	RejectClose Reject = "close"
	// RejectHTTP answers with an HTTP status and a problem document.
	RejectHTTP Reject = "http"
)

// The defaults of [Config] and [Limits].
const (
	DefaultReadLimit       = 64 << 10
	DefaultWriteTimeout    = 10 * time.Second
	DefaultCloseTimeout    = 2 * time.Second
	DefaultPingInterval    = 30 * time.Second
	DefaultMessageTimeout  = 5 * time.Second
	DefaultRenewInterval   = 10 * time.Second
	DefaultRecheckInterval = time.Minute
	DefaultMaxUnchecked    = 5 * time.Minute
	DefaultSendQueue       = 64
	DefaultShutdownRate    = 1000
	DefaultPending         = 1000
	DefaultLeaseTTL        = 30 * time.Second
)

// NoPing, as [Config.PingInterval], turns pings off.
const NoPing time.Duration = -1

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
	// PathPrefix is what a proxy in front takes away from the beginning of paths:
	// "/api" if clients open /api/ws and the proxy asks for /ws here. A ticket is
	// bound to the path that its client opens; without PathPrefix, bound tickets
	// are refused behind such a proxy. It is added to the path of every handshake:
	// with it, the bound tickets of clients that do not come through the proxy are
	// refused. Leave out what [http.StripPrefix] takes away in this program; the
	// guard knows that. Default none.
	PathPrefix string

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
	// PublicScheme is the scheme by which clients reach this server, "http" or "https".
	// Pages of that scheme alone are of the server's own origin. Default: https for a
	// handshake that came by TLS, and else both, for a proxy may have ended TLS. Set it
	// to https behind such a proxy. Danger: without it, pages of http:// and the
	// server's own host may connect there, and an attacker who controls the network of
	// a visitor can make such pages.
	PublicScheme string
	// Subprotocols lists the application's own subprotocols, the preferred
	// one first. Default none.
	Subprotocols []string

	// ConnContext returns the context whose values a connection has for its whole life,
	// for its handler and for the Check of its [paseto.Requirement]: ctx with what these
	// should know of the request, such as a path value or a trace, or the request's own.
	// It is called once for each connection, before the check at the handshake and not
	// for handshakes that are refused before; and once by [Guard.Authenticate], for a
	// requirement with a Check. What it keeps of the request stays in memory for as long
	// as the connection does; its end is not the connection's. It must not return nil.
	//
	// Default: where the requirement has a Check, the request's own values, so that
	// Check sees them at renewals too; else none, which takes no memory. Danger: some
	// routers use a value again for another request once the HTTP handler has returned,
	// as chi does with its RouteContext. Copy what you need of it here.
	ConnContext func(ctx context.Context, r *http.Request) context.Context

	// ReadLimit is the largest message in bytes that is read; a larger one
	// closes the connection with code 1009. Default 64 KiB.
	ReadLimit int64
	// WriteTimeout is how long a write may wait for a slow peer before the
	// connection is given up. Default 10 seconds.
	WriteTimeout time.Duration
	// CloseTimeout is how long a closing handshake may take before the
	// connection is cut. Default 2 seconds.
	CloseTimeout time.Duration
	// SendQueue is how many messages may wait to be sent by [Conn.Send] and
	// [Guard.Broadcast] before the peer counts as too slow. Default 64.
	SendQueue int

	// PingInterval is how often a peer is asked for a sign of life. One of
	// which nothing was heard for that long, while its messages were being
	// read, is gone before the second interval is over. Default 30 seconds;
	// [NoPing] for never: a peer that vanished without a word then stays until
	// its token expires or something is written to it.
	PingInterval time.Duration
	// MaxLifetime is how long a connection may live however often its token is
	// renewed. Default 0: for any time.
	MaxLifetime time.Duration
	// MessageTimeout is how long a client may take for the first message that
	// carries its token; see [Message]. Default 5 seconds.
	MessageTimeout time.Duration

	// RenewMessages has clients renew their token in a text message of its own:
	//
	//	{"type":"auth","token":"v4.local.…"}
	//
	// It is answered in a message of the same type: with expires_at and
	// expires_in, when the connection will end now, or with the code and the
	// message of the refusal; see [Conn.Renew]. Danger: the application never
	// sees a message whose type member is auth. Default false: it sees all.
	RenewMessages bool
	// RenewFailure says what becomes of a connection whose renewal is refused.
	// Default RenewFailureKeeps.
	RenewFailure RenewFailure
	// RenewInterval is how often a connection may try to renew its token in the
	// long run; five attempts may come at once. Default 10 seconds.
	RenewInterval time.Duration

	// RecheckInterval is how often the denylist is asked anew for every
	// connection, for what it may have failed to tell at once; half of
	// MaxUnchecked if that is shorter. Default a minute.
	RecheckInterval time.Duration
	// MaxUnchecked is how long a connection may live while the denylist cannot
	// be asked. Default 5 minutes; [NoLimit] for any time. Danger: without
	// limit, whoever can cut the connection to the denylist keeps connections
	// alive that were revoked elsewhere, until their tokens expire.
	MaxUnchecked time.Duration

	// CloseCodes chooses the codes that connections are closed with. Default
	// StandardCodes.
	CloseCodes CloseCodes
	// ShutdownCode closes connections at [Guard.Shutdown]: CloseGoingAway or
	// CloseServiceRestart. Default CloseGoingAway.
	ShutdownCode CloseCode
	// ShutdownRate is how many connections [Guard.Shutdown] closes a second.
	// Default 1000.
	ShutdownRate int

	// Limits bounds what clients can take.
	Limits Limits
}

// Option gives a [Guard] one of its collaborators.
type Option func(*Guard)

// WithLogger logs refused handshakes, and connections that end for a slow peer, at level
// Info, failures of the server and panics of handlers at level Error, without tokens.
// What clients send is cut to 200 bytes and escaped. A client address causes at most 20
// lines of a kind in a minute; then a line says how many were left out. A shutdown that
// has to cut connections names up to 20 of their handlers, with route and subject, in
// one line at level Warn. Default, and with nil: nothing is logged.
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
	c.SendQueue = cmp.Or(c.SendQueue, DefaultSendQueue)
	c.PingInterval = cmp.Or(c.PingInterval, DefaultPingInterval)
	c.MessageTimeout = cmp.Or(c.MessageTimeout, DefaultMessageTimeout)
	c.RenewFailure = cmp.Or(c.RenewFailure, RenewFailureKeeps)
	c.RenewInterval = cmp.Or(c.RenewInterval, DefaultRenewInterval)
	c.RecheckInterval = cmp.Or(c.RecheckInterval, DefaultRecheckInterval)
	c.MaxUnchecked = cmp.Or(c.MaxUnchecked, DefaultMaxUnchecked)
	c.CloseCodes = cmp.Or(c.CloseCodes, StandardCodes)
	c.ShutdownCode = cmp.Or(c.ShutdownCode, CloseGoingAway)
	c.ShutdownRate = cmp.Or(c.ShutdownRate, DefaultShutdownRate)
	c.Limits.OnExcess = cmp.Or(c.Limits.OnExcess, RejectNewest)
	c.Limits.LeaseTTL = cmp.Or(c.Limits.LeaseTTL, DefaultLeaseTTL)
	c.Limits.Pending = cmp.Or(c.Limits.Pending, DefaultPending)
	c.Limits.PendingPerAddress = cmp.Or(c.Limits.PendingPerAddress, max(1, c.Limits.Pending/10))
	c.Limits.TrustedProxies = slices.Clone(c.Limits.TrustedProxies)
	return c
}
