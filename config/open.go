package config

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"reflect"
	"slices"
	"time"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
	"github.com/pasetokit/pasetokit/wsauth"
)

// Kit is an opened configuration: parts that work together.
type Kit struct {
	// Authorizer issues and verifies tokens.
	Authorizer *paseto.Authorizer
	// HTTP guards handlers and serves the token endpoints.
	HTTP *httpauth.Web
	// Guard guards WebSockets.
	Guard *wsauth.Guard
	// Store is the denylist, nil if it is not enabled.
	Store denylist.Store

	owned  denylist.Store // to be closed with the kit
	cfg    Config         // as it was opened
	opened []Setting      // the same, as it was then
	source bool           // keys come from elsewhere too
	log    *slog.Logger
}

// Close closes the denylist, unless it was given with [WithStore]. It ends no
// connection, and nothing that the Guard has running: call [wsauth.Guard.Shutdown]
// with the HTTP servers before, while there is a store that leases can be given back to.
func (k *Kit) Close() error {
	if k.owned == nil {
		return nil
	}
	return k.owned.Close()
}

// Option gives [Open] a collaborator.
type Option func(*opener)

type opener struct {
	store    denylist.Store
	source   paseto.KeySource
	log      *slog.Logger
	now      func() time.Time
	observer func(paseto.Event)
	quiet    bool

	implicit     func(*http.Request) []byte
	connContext  func(context.Context, *http.Request) context.Context
	connObserver func(wsauth.Event)
}

// WithStore makes store the denylist, whatever denylist.store says. If it is a
// [denylist.Leases] too, or a [denylist.Wrapper] of one, connections are counted over
// all that share it, see [wsauth.WithLeases]; else in this program alone. The caller
// closes it after the kit.
func WithStore(store denylist.Store) Option {
	return func(o *opener) { o.store = store }
}

// WithKeySource passes a source of further keys to the Authorizer, such as
// [httpauth.RemoteKeys]; see [paseto.WithKeySource]. With it, token.keys may be
// empty where token.verify_only is true.
func WithKeySource(source paseto.KeySource) Option {
	return func(o *opener) { o.source = source }
}

// WithLogger passes a logger to all parts. Default, and with nil: nothing is
// logged.
func WithLogger(logger *slog.Logger) Option {
	return func(o *opener) {
		if logger != nil {
			o.log = logger
		}
	}
}

// WithClock makes all parts tell the time by now instead of [time.Now]: tokens, limits,
// sockets, and the store, unless that is given with [WithStore]. A key source has a
// clock of its own, see [httpauth.WithRemoteClock]. It must be safe for concurrent use. A test moves such a clock, and calls [wsauth.Guard.Recheck] to have
// sockets closed at once whose time has come. Timeouts of the network, and pings, go by
// the machine's clock in any case. Default, and with nil: [time.Now].
func WithClock(now func() time.Time) Option {
	return func(o *opener) { o.now = now }
}

// WithObserver passes an observer to the Authorizer; see [paseto.WithObserver].
func WithObserver(observe func(paseto.Event)) Option {
	return func(o *opener) { o.observer = observe }
}

// WithImplicit passes the implicit assertion of the token endpoints to the Web; see
// [httpauth.WithImplicit].
func WithImplicit(implicit func(*http.Request) []byte) Option {
	return func(o *opener) { o.implicit = implicit }
}

// WithConnectionObserver calls observe for every [wsauth.Event] of the Guard:
// connections that are opened and closed, handshakes that are refused, tokens that
// are renewed. It is called on the goroutine that caused the event, so it must
// return quickly and be safe for concurrent use. Default, and with nil: nobody is
// told.
func WithConnectionObserver(observe func(wsauth.Event)) Option {
	return func(o *opener) { o.connObserver = observe }
}

// WithConnContext lets the handlers of connections, and the Check of their requirements,
// know more of a handshake than its claims: values returns the context whose values they
// get, which is ctx with some of the request's, such as a path value or a trace, or the
// request's own. What it keeps of the request stays in memory for as long as the
// connection does; its end is not the connection's. It must not return nil. Default, and
// with nil: the request's own where the requirement has a Check, else none. See
// [wsauth.WithConnContext].
func WithConnContext(values func(ctx context.Context, r *http.Request) context.Context) Option {
	return func(o *opener) { o.connContext = values }
}

// Open reads the keys, opens the denylist and returns the parts. The error wraps
// [paseto.ErrConfig] if the configuration breaks a rule, or if its values are
// valid each and cannot work together; it wraps the store's own error if that
// cannot be opened. A file with a key or a password that others may read is a
// warning in the log, and so are values that together are probably not what was
// meant, such as cookies that handshakes do not take.
func Open(ctx context.Context, cfg *Config, opts ...Option) (*Kit, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	o := opener{log: slog.New(slog.DiscardHandler), observer: func(paseto.Event) {}}
	for _, opt := range opts {
		opt(&o)
	}
	var ps problems
	keys := cfg.check(&ps, nil)
	cfg.checkUse(&ps, o.store != nil)
	cfg.checkKeys(&ps, nil, keys, o.source != nil)
	if err := ps.err(); err != nil {
		return nil, err
	}
	cfg.warn(ctx, o.log, keys)
	if !o.quiet {
		cfg.note(ctx, o.log, o.store)
	}

	kit := &Kit{cfg: *cfg, opened: settings("", reflect.ValueOf(*cfg), nil), source: o.source != nil, log: o.log}
	kit.cfg.Token.Keys = slices.Clone(cfg.Token.Keys)
	if cfg.Denylist.Enabled {
		kit.Store = o.store
		if kit.Store == nil {
			var err error
			if kit.owned, err = openStore(ctx, cfg.Denylist, o.log, o.now); err != nil {
				return nil, err
			}
			kit.Store = kit.owned
		}
	}
	if err := kit.build(cfg, keys, o); err != nil {
		return nil, errors.Join(err, kit.Close())
	}
	return kit, nil
}

// checkUse adds combinations of valid values that cannot work.
func (c *Config) checkUse(ps *problems, storeGiven bool) {
	switch {
	case c.Denylist.Enabled && c.Denylist.Store == "" && !storeGiven:
		ps.add(Problem{Key: "denylist.store", Rule: "is empty while denylist.enabled is true; name a store, or give one with WithStore"})
	case !c.Denylist.Enabled && storeGiven:
		ps.add(Problem{Key: "denylist.enabled", Value: "false", Rule: "a store was given with WithStore, and would never be asked"})
	case c.Denylist.Enabled && len(c.Denylist.Check) == 0:
		ps.add(Problem{Key: "denylist.check", Rule: "is empty while denylist.enabled is true; no token would ever be looked up"})
	}
	c.checkFiles(func(key, value, rule string) { ps.add(Problem{Key: key, Value: value, Rule: rule}) })
}

// warn logs which files with secrets others may read.
func (c *Config) warn(ctx context.Context, log *slog.Logger, keys []paseto.Key) {
	for i, key := range keys {
		for _, path := range c.Token.Keys[i].exposed(key) {
			log.WarnContext(ctx, "key file can be read by others", "path", path)
		}
	}
	if r := c.Denylist.Redis; c.Denylist.Enabled && c.Denylist.Store == storeRedis {
		for _, path := range readable(r.PasswordFile, r.SentinelPasswordFile) {
			log.WarnContext(ctx, "password file can be read by others", "path", path)
		}
		for _, path := range readable(r.TLS.KeyFile) {
			log.WarnContext(ctx, "key file can be read by others", "path", path)
		}
	}
}

func (k *Kit) build(cfg *Config, keys []paseto.Key, o opener) error {
	options := []paseto.Option{paseto.WithLogger(o.log), paseto.WithClock(o.now), paseto.WithObserver(o.observer)}
	if k.Store != nil {
		options = append(options, paseto.WithDenylist(k.Store))
	}
	if o.source != nil {
		options = append(options, paseto.WithKeySource(o.source))
	}
	var err error
	if k.Authorizer, err = paseto.New(cfg.paseto(keys), options...); err != nil {
		return err
	}
	web := cfg.httpauth()
	if k.HTTP, err = httpauth.New(k.Authorizer, web, httpauth.WithLogger(o.log), httpauth.WithImplicit(o.implicit)); err != nil {
		return err
	}
	k.Guard, err = wsauth.New(k.HTTP, cfg.wsauth(),
		wsauth.WithLogger(o.log), wsauth.WithObserver(o.connObserver), wsauth.WithConnContext(o.connContext))
	return err
}

// paseto returns what the configuration means for an Authorizer with these keys.
func (c *Config) paseto(keys []paseto.Key) paseto.Config {
	return paseto.Config{
		Version:            paseto.Version(c.Token.Version),
		Purpose:            paseto.Purpose(c.Token.Purpose),
		Keys:               keys,
		OmitKeyID:          c.Token.OmitKeyID,
		Issuer:             c.Token.Issuer,
		Audience:           c.Token.Audience,
		RequireIssuer:      c.Token.RequireIssuer,
		RequireAudience:    c.Token.RequireAudience,
		AccessTTL:          ttl(c.Token.AccessTTL),
		RefreshTTL:         ttl(c.Token.RefreshTTL),
		OtherTTL:           ttl(c.Token.OtherTTL),
		MaxTTL:             ttl(c.Token.MaxTTL),
		SessionTTL:         ttl(c.Token.SessionTTL),
		RefreshGrace:       orNoGrace(c.Token.RefreshGrace),
		RefreshesPerMinute: int(c.Token.RefreshesPerMinute),
		TicketTTL:          c.Token.TicketTTL,
		AllowNoExpiry:      !c.Token.RequireExpiry,
		StartLeeway:        ttl(c.Token.StartLeeway),
		Leeway:             c.Token.Leeway,
		MaxLength:          c.Token.MaxLength,
		Denylist:           paseto.DenylistConfig{Check: append([]string{}, c.Denylist.Check...), FailOpen: c.Denylist.FailOpen},
	}
}

// httpauth returns what the configuration means for requests.
func (c *Config) httpauth() httpauth.Config {
	return httpauth.Config{
		Locations:    convert[httpauth.Location](c.HTTP.Locations),
		HeaderName:   c.HTTP.HeaderName,
		HeaderScheme: orNoScheme(c.HTTP.HeaderScheme),
		JSONKey:      c.HTTP.JSONKey,
		JSONPrefix:   c.HTTP.JSONPrefix,
		MaxBody:      c.HTTP.MaxBody,
		Realm:        c.HTTP.Realm,

		AllowedOrigins:   c.HTTP.AllowedOrigins,
		PublicScheme:     c.HTTP.PublicScheme,
		TrustedProxies:   c.HTTP.TrustedProxies,
		Login:            c.HTTP.Login.httpauth(),
		TicketsPerMinute: int(c.HTTP.TicketsPerMinute),
		Cookie: httpauth.CookieConfig{
			AccessName:  c.HTTP.Cookie.AccessName,
			RefreshName: c.HTTP.Cookie.RefreshName,
			Path:        c.HTTP.Cookie.Path,
			RefreshPath: c.HTTP.Cookie.RefreshPath,
			Former:      c.HTTP.Cookie.Former,
			Domain:      c.HTTP.Cookie.Domain,
			Insecure:    !c.HTTP.Cookie.Secure,
			SameSite:    httpauth.SameSite(c.HTTP.Cookie.SameSite),
			Persistent:  c.HTTP.Cookie.Persistent,
		},
	}
}

func ttl(l Lifetime) time.Duration { return time.Duration(l) }

func orNoGrace(grace time.Duration) time.Duration {
	if grace == 0 {
		return paseto.NoGrace
	}
	return grace
}

func orNoScheme(scheme string) string {
	if scheme == "" {
		return httpauth.NoScheme
	}
	return scheme
}

func convert[T ~string](names []string) []T {
	converted := make([]T, len(names))
	for i, name := range names {
		converted[i] = T(name)
	}
	return converted
}
