package config

import (
	"cmp"
	"slices"
	"time"

	"github.com/pasetokit/pasetokit/paseto/httpauth"
	"github.com/pasetokit/pasetokit/wsauth"
)

// WebSocket says how handshakes and connections are treated; see
// [wsauth.Config]. Unlike there, zero is no default: it lifts the bound where its
// field says so, and is refused everywhere else.
type WebSocket struct {
	// Locations lists header, query, cookie, subprotocol, ticket, message.
	// Without a denylist, the default is header alone.
	Locations []string `koanf:"locations" validate:"min=1,unique,dive,websocket_location"`
	// QueryKey and QueryPrefix are the URL parameter and the scheme in it.
	QueryKey    string `koanf:"query_key" validate:"required"`
	QueryPrefix string `koanf:"query_prefix" validate:"omitempty,http_token"`
	// TicketKey is the URL parameter that carries a ticket.
	TicketKey string `koanf:"ticket_key" validate:"required,nefield=QueryKey"`
	// PathPrefix is what a proxy in front takes away from the beginning of paths;
	// tickets are bound to the paths that clients open. It is added to the path of
	// every handshake, also of those that do not come through the proxy.
	PathPrefix string `koanf:"path_prefix" validate:"path_prefix"`
	// MessageTimeout is how long a client may take for the first message that
	// carries its token, at the location message.
	MessageTimeout time.Duration `koanf:"message_timeout" validate:"min=1ms,max=24h"`
	// Reject is close or http.
	Reject string `koanf:"reject" validate:"oneof=close http"`
	// AllowedOrigins lists origins whose pages may connect, besides the
	// server's own.
	AllowedOrigins []string `koanf:"allowed_origins" validate:"dive,origin"`
	// Subprotocols lists the application's own subprotocols.
	Subprotocols []string `koanf:"subprotocols" validate:"unique,dive,http_token,ne=paseto.bearer"`

	// ReadLimit is the largest message in bytes that is read.
	ReadLimit int64 `koanf:"read_limit" validate:"min=1"`
	// WriteTimeout and CloseTimeout bound a write and a closing handshake.
	WriteTimeout time.Duration `koanf:"write_timeout" validate:"min=1ms"`
	CloseTimeout time.Duration `koanf:"close_timeout" validate:"min=1ms,max=1m"`
	// SendQueue is how many messages may wait for a peer before it counts as
	// too slow.
	SendQueue int `koanf:"send_queue" validate:"min=1"`

	// PingInterval is how often a peer is asked for a sign of life; 0 for
	// never.
	PingInterval time.Duration `koanf:"ping_interval" validate:"eq=0|min=1ms,max=24h"`
	// MaxLifetime is how long a connection may live however often its token is
	// renewed; 0 for any time.
	MaxLifetime time.Duration `koanf:"max_lifetime" validate:"min=0,max=876000h"`

	// RenewMessages has clients renew their token in a message of its own,
	// which the application never sees.
	RenewMessages bool `koanf:"renew_messages"`
	// RenewFailure is keep or close: what becomes of a connection whose renewal
	// is refused.
	RenewFailure string `koanf:"renew_failure" validate:"oneof=keep close"`
	// RenewInterval is how often a connection may try to renew its token in the
	// long run.
	RenewInterval time.Duration `koanf:"renew_interval" validate:"min=1ms,max=24h"`

	// RecheckInterval is how often the right of every connection is checked
	// anew.
	RecheckInterval time.Duration `koanf:"recheck_interval" validate:"min=1ms,max=24h"`
	// MaxUnchecked is how long a connection may live while the denylist cannot
	// be asked; 0 for any time. One that is shorter than RecheckInterval lets a
	// single check that fails close every connection.
	MaxUnchecked time.Duration `koanf:"max_unchecked" validate:"eq=0|min=1ms"`

	// CloseCodes is standard or private.
	CloseCodes string `koanf:"close_codes" validate:"oneof=standard private"`
	// ShutdownCode is 1001 or 1012: what connections are closed with at
	// [wsauth.Guard.Shutdown].
	ShutdownCode int `koanf:"shutdown_code" validate:"oneof=1001 1012"`
	// ShutdownRate is how many connections it closes a second.
	ShutdownRate int `koanf:"shutdown_rate" validate:"min=1"`

	// Limits bounds what clients can take.
	Limits WebSocketLimits `koanf:"limits"`
}

// WebSocketLimits bounds what clients can take of a server; see
// [wsauth.Limits].
type WebSocketLimits struct {
	// Connections is how many there may be at a time; 0 for any number.
	Connections int `koanf:"connections" validate:"min=0"`
	// PerSubject is how many a subject may have at a time; 0 for any number.
	// They are counted over all programs that share the denylist if its store
	// is a [denylist.Leases], and else in this one alone.
	PerSubject int `koanf:"per_subject" validate:"min=0"`
	// OnExcess is reject or replace_oldest: what happens beyond PerSubject.
	OnExcess string `koanf:"on_excess" validate:"oneof=reject replace_oldest"`
	// LeaseTTL is how long the connections of a program that crashed count
	// towards PerSubject elsewhere.
	LeaseTTL time.Duration `koanf:"lease_ttl" validate:"min=1s,max=24h"`
	// Pending is how many connections may wait for the token of their first
	// message at a time.
	Pending int `koanf:"pending" validate:"min=1"`
	// PendingPerAddress is how many of these a client address may have; 0 for a
	// tenth of Pending. Danger: behind a proxy that [HTTP.TrustedProxies] does
	// not list, all clients have one address.
	PendingPerAddress int `koanf:"pending_per_address" validate:"min=0"`
	// HandshakesPerMinute is how many handshakes a client address may begin,
	// and FailuresPerMinute how many of them may be refused; 0 for any number.
	// Danger: behind a proxy that [HTTP.TrustedProxies] does not list, all
	// clients have one address.
	HandshakesPerMinute int `koanf:"handshakes_per_minute" validate:"min=0"`
	FailuresPerMinute   int `koanf:"failures_per_minute" validate:"min=0"`
}

func defaultWebSocket() WebSocket {
	return WebSocket{
		Locations: []string{string(httpauth.LocationHeader), string(httpauth.LocationTicket)},
		QueryKey:  "token", TicketKey: "ticket", Reject: string(wsauth.RejectClose),
		AllowedOrigins: []string{}, Subprotocols: []string{},
		ReadLimit:       64 << 10,
		WriteTimeout:    10 * time.Second,
		CloseTimeout:    2 * time.Second,
		SendQueue:       64,
		PingInterval:    30 * time.Second,
		MessageTimeout:  5 * time.Second,
		RenewFailure:    string(wsauth.RenewFailureKeeps),
		RenewInterval:   10 * time.Second,
		RecheckInterval: time.Minute,
		MaxUnchecked:    5 * time.Minute,
		CloseCodes:      string(wsauth.StandardCodes),
		ShutdownCode:    int(wsauth.CloseGoingAway),
		ShutdownRate:    1000,
		Limits: WebSocketLimits{
			OnExcess: string(wsauth.RejectNewest),
			LeaseTTL: 30 * time.Second,
			Pending:  1000,
		},
	}
}

// wsauth returns what the configuration means for handshakes and connections.
func (c *Config) wsauth() wsauth.Config {
	locations := convert[httpauth.Location](c.WebSocket.Locations)
	if !c.Denylist.Enabled { // and so nothing to redeem tickets with
		locations = slices.DeleteFunc(locations, func(l httpauth.Location) bool { return l == httpauth.LocationTicket })
	}
	ws := c.WebSocket
	return wsauth.Config{
		Locations:       locations,
		QueryKey:        ws.QueryKey,
		QueryPrefix:     ws.QueryPrefix,
		TicketKey:       ws.TicketKey,
		PathPrefix:      ws.PathPrefix,
		Reject:          wsauth.Reject(ws.Reject),
		AllowedOrigins:  ws.AllowedOrigins,
		Subprotocols:    ws.Subprotocols,
		ReadLimit:       ws.ReadLimit,
		WriteTimeout:    ws.WriteTimeout,
		CloseTimeout:    ws.CloseTimeout,
		SendQueue:       ws.SendQueue,
		PingInterval:    cmp.Or(ws.PingInterval, wsauth.NoPing),
		MaxLifetime:     ws.MaxLifetime,
		MessageTimeout:  ws.MessageTimeout,
		RenewMessages:   ws.RenewMessages,
		RenewFailure:    wsauth.RenewFailure(ws.RenewFailure),
		RenewInterval:   ws.RenewInterval,
		RecheckInterval: ws.RecheckInterval,
		MaxUnchecked:    cmp.Or(ws.MaxUnchecked, wsauth.NoLimit),
		CloseCodes:      wsauth.CloseCodes(ws.CloseCodes),
		ShutdownCode:    wsauth.CloseCode(ws.ShutdownCode),
		ShutdownRate:    ws.ShutdownRate,
		Limits:          ws.Limits.wsauth(),
	}
}

// wsauth returns what the configuration means for a guard.
func (l WebSocketLimits) wsauth() wsauth.Limits {
	return wsauth.Limits{
		Connections:         l.Connections,
		PerSubject:          l.PerSubject,
		OnExcess:            wsauth.Excess(l.OnExcess),
		LeaseTTL:            l.LeaseTTL,
		Pending:             l.Pending,
		PendingPerAddress:   l.PendingPerAddress,
		HandshakesPerMinute: l.HandshakesPerMinute,
		FailuresPerMinute:   l.FailuresPerMinute,
	}
}
