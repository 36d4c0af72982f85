package wsauth

import (
	"context"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/pasetokit/pasetokit/internal/locate"
	"github.com/pasetokit/pasetokit/internal/settings"
	"github.com/pasetokit/pasetokit/internal/settings/format"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
)

// Marker is the subprotocol that a client offers right before its token. The token is never
// sent back. The guard selects one of the application's own subprotocols if the client offers
// one, and otherwise Marker.
const Marker = locate.Marker

// Reject says how a refused handshake is answered.
type Reject string

const (
	// RejectClose completes the handshake and closes with the code of the refusal (see
	// [Closures]) and its message. A browser shows a page nothing else.
	RejectClose Reject = "close"
	// RejectHTTP answers with an HTTP status and a problem document.
	RejectHTTP Reject = "http"
)

// NoPing, as [Config.PingInterval], turns pings off.
const NoPing time.Duration = -1

// Config says how a [Guard] treats handshakes and connections. The zero value of every field
// is its documented default. [httpauth.Config] has what requests and handshakes share: header,
// cookies, realm, public scheme and trusted proxies. [live.Config] has what sockets and
// streams share: greatest age, how many there may be, renewals, re-checks.
type Config struct {
	// Locations lists where the token of a handshake may be: header, query, cookie,
	// subprotocol, ticket, message (the first message of the connection). They do not
	// follow [httpauth.Config.Locations]. Default header, ticket; without a denylist, header
	// alone, and a list must not have ticket. Danger of query: URLs are logged. A ticket is
	// in the URL too, and works once.
	Locations []httpauth.Location `koanf:"locations" default:"header,ticket" validate:"omitempty,min=1,unique,dive,websocket_location"`
	// QueryKey is the URL parameter that carries the token. Default token.
	QueryKey string `koanf:"query_key" default:"token"`
	// QueryPrefix is a scheme before the token in that parameter. Default none: the bare
	// token.
	QueryPrefix string `koanf:"query_prefix" validate:"omitempty,http_token"`

	// TicketKey is the URL parameter that carries a ticket. It cannot be another parameter
	// of the application's. Default ticket.
	TicketKey string `koanf:"ticket_key" default:"ticket"`
	// PathPrefix is what a proxy in front removes from the beginning of paths: "/api" if
	// clients open /api/ws and the proxy asks for /ws here. A ticket is bound to the path
	// that its client opens, so bound tickets are refused behind such a proxy unless the
	// prefix is set. It is added to the path of every handshake, so with it bound tickets
	// of clients that do not come through the proxy are refused. Do not add what
	// [http.StripPrefix] removes in this program; the guard knows that. Default none.
	PathPrefix string `koanf:"path_prefix" validate:"omitempty,path_prefix"`

	// Reject says how a refused handshake is answered: close (it is completed, and closed
	// with the code and the message of the refusal, which a browser can show) or http (with
	// an HTTP status). Default close.
	Reject Reject `koanf:"reject" default:"close" validate:"omitempty,oneof=close http"`
	// AllowedOrigins lists the origins, besides the server's own, whose pages
	// may connect: scheme, host and port exactly, as in
	// "https://app.example.com" or "http://localhost:3000". A host that begins
	// with "*." stands for every host below it: "https://*.example.com". A
	// default port may be left out. Default none.
	AllowedOrigins []string `koanf:"allowed_origins" validate:"omitempty,unique,dive,origin"`
	// Subprotocols lists the application's own subprotocols, the preferred
	// one first. Default none.
	Subprotocols []string `koanf:"subprotocols" validate:"omitempty,unique,dive,http_token,ne=paseto.bearer"`

	// ReadLimit is the size in bytes of the largest message that is read. A larger one
	// closes the connection with code 1009. Default 65536.
	ReadLimit int64 `koanf:"read_limit" default:"65536" validate:"omitempty,min=1,max=1073741824"`
	// WriteTimeout is how long a write may wait for a slow peer. Then the connection is cut.
	// Default 10s.
	WriteTimeout time.Duration `koanf:"write_timeout" default:"10s" validate:"omitempty,min=1ms,max=24h"`
	// CloseTimeout is how long a closing handshake may take. Then the connection is cut.
	// Default 2s.
	CloseTimeout time.Duration `koanf:"close_timeout" default:"2s" validate:"omitempty,min=1ms,max=5m"`
	// SendQueue is how many messages of [Conn.Send] and [Guard.Broadcast] may wait to be
	// sent to a peer. With more the peer counts as too slow, and its connection is closed.
	// Default 64.
	SendQueue int `koanf:"send_queue" default:"64" validate:"omitempty,min=1,max=1000000"`

	// PingInterval is how often a peer gets a ping. A peer that sends nothing from one ping
	// to the next, while the handler reads, counts as gone, and its connection is cut.
	// [NoPing] for never: then the connection of a peer that has vanished stays open until
	// its token expires or a write fails. Default 30s.
	PingInterval time.Duration `koanf:"ping_interval" default:"30s" validate:"omitempty,none|min=1ms,max=24h"`
	// MessageTimeout is how long a client may take to send the first message, with its
	// token, at the location [httpauth.LocationMessage]. If the token cannot be checked in
	// that time either, the connection is closed for [paseto.ErrUnavailable]. Default 5s.
	MessageTimeout time.Duration `koanf:"message_timeout" default:"5s" validate:"omitempty,min=1ms,max=24h"`

	// RenewMessages lets clients renew their token with a text message that the guard reads:
	//
	//	{"type":"auth","token":"v4.local.…"}
	//
	// The answer is a message of the same type. It has expires_at and expires_in, which say
	// when the connection will end now; or the code and the message of the refusal. See
	// [Conn.Renew], and [WithTokenMessages] for messages of another form. Danger: the
	// application does not see messages whose type member is auth. Default false: the
	// application sees all messages.
	RenewMessages bool `koanf:"renew_messages"`

	// CloseCodes says which codes connections are closed with: standard (registered codes,
	// 1008 for every refusal), private (4401, 4403, 4408, 4409 and 4429 where they say
	// more) or graphql-ws (codes that make the npm client graphql-ws reconnect when it
	// should, and stop when it should). Default standard.
	CloseCodes CloseCodes `koanf:"close_codes" default:"standard" validate:"omitempty,oneof=standard private graphql-ws"`
	// CloseCodeFor gives single causes another code than CloseCodes and ShutdownCode do. Its
	// keys are causes that [Closures] lists, and codes of errors that a
	// [paseto.Requirement.Check] returns. It does not change the code of [Conn.Close]. It can
	// be set only in code. Default none.
	CloseCodeFor map[paseto.Code]CloseCode
	// ShutdownCode is the code that a shutdown closes connections with: 1001 (going away)
	// or 1012 (service restart). Default 1001.
	ShutdownCode CloseCode `koanf:"shutdown_code" default:"1001" validate:"omitempty,oneof=1001 1012"`

	// Messages bounds how much a peer may send over a connection. Off by default.
	Messages MessageLimits `koanf:"messages"`
	// Limits bounds what clients can take.
	Limits Limits `koanf:"limits"`
}

// Option gives a [Guard] one of its collaborators.
type Option func(*Guard)

// WithLogger logs refused handshakes and slow peers at level Info, and failures of the server
// and panics of handlers at level Error. It logs no token. What clients send is cut to 200
// bytes and escaped. A client address causes at most 20 lines of a kind in a minute; then one
// line says how many were left out. The Keeper logs refused renewals and failures of the
// denylist; see [live.WithLogger]. Default, and with nil: nothing is logged.
func WithLogger(logger *slog.Logger) Option {
	return func(g *Guard) {
		if logger != nil {
			g.log = logger
		}
	}
}

// WithConnContext chooses the values that the context of a connection has, for its handler and
// for the Check of its [paseto.Requirement]. The function values returns ctx with what these
// need of the request, such as a path value or a trace. It may also return r.Context(). It
// must not return nil. The guard calls it once for each connection, right before the token is
// checked; [Guard.Authenticate] calls it once if the requirement has a Check. What it keeps
// of the request stays in memory for as long as the connection is open. The end of the
// context that it returns does not matter.
//
// Default, and with nil: if the requirement has a Check, the request's own values, so that the
// Check sees them at renewals too; otherwise none, which takes no memory. Danger: some routers
// use a value again for another request when the HTTP handler has returned, as chi does with
// its RouteContext. Copy what you need of such a value in the function.
func WithConnContext(values func(ctx context.Context, r *http.Request) context.Context) Option {
	return func(g *Guard) { g.connContext = values }
}

// withDefaults returns the configuration with its defaults filled in.
func (c Config) withDefaults(tickets bool) Config {
	if c.Locations == nil && !tickets {
		c.Locations = []httpauth.Location{httpauth.LocationHeader}
	}
	settings.SetDefaults(&c)
	c.Locations = slices.Clone(c.Locations)
	c.Subprotocols = slices.Clone(c.Subprotocols)
	c.CloseCodeFor = maps.Clone(c.CloseCodeFor)
	c.Limits = c.Limits.withDefaults()
	c.Messages = c.Messages.withDefaults(c.ReadLimit)
	return c
}

// Validate reports everything that is wrong with the configuration, as an error that
// wraps [paseto.ErrConfig]. [New] calls it.
func (c Config) Validate() error {
	problems := settings.Check(c, format.All)
	messages := c.Messages
	c = c.withDefaults(true)
	messages.check(&problems, c.ReadLimit)
	if c.TicketKey == c.QueryKey && slices.Contains(c.Locations, httpauth.LocationQuery) && slices.Contains(c.Locations, httpauth.LocationTicket) {
		problems.Add("TicketKey", c.TicketKey, "must differ from {QueryKey}")
	}
	c.checkOwnCodes(&problems)
	return problems.Err(paseto.ErrConfig)
}
