package config

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
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

	owned denylist.Store // to be closed with the kit
}

// Close closes the denylist, unless it was given with [WithStore]. It ends no
// connection: call [wsauth.Guard.Shutdown] before.
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
	log      *slog.Logger
	observer func(paseto.Event)
}

// WithStore makes store the denylist, whatever denylist.store says. The caller
// closes it after the kit.
func WithStore(store denylist.Store) Option {
	return func(o *opener) { o.store = store }
}

// WithLogger passes a logger to all parts. Default: nothing is logged.
func WithLogger(logger *slog.Logger) Option {
	return func(o *opener) { o.log = logger }
}

// WithObserver passes an observer to the Authorizer; see [paseto.WithObserver].
func WithObserver(observe func(paseto.Event)) Option {
	return func(o *opener) { o.observer = observe }
}

// Open reads the keys, opens the denylist and returns the parts. The error wraps
// [paseto.ErrConfig] if the configuration breaks a rule, or if its values are
// valid each and cannot work together.
func Open(ctx context.Context, cfg *Config, opts ...Option) (*Kit, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	o := opener{log: slog.New(slog.DiscardHandler), observer: func(paseto.Event) {}}
	for _, opt := range opts {
		opt(&o)
	}
	var ps problems
	cfg.check(&ps, nil)
	cfg.checkUse(&ps, o.store != nil)
	if err := ps.err(); err != nil {
		return nil, err
	}

	kit := &Kit{}
	if cfg.Denylist.Enabled {
		kit.Store = o.store
		if kit.Store == nil {
			kit.owned = denylist.NewMemory()
			kit.Store = kit.owned
		}
	}
	if err := kit.build(cfg, o); err != nil {
		return nil, errors.Join(err, kit.Close())
	}
	return kit, nil
}

// checkUse adds combinations of valid values that cannot work.
func (c *Config) checkUse(ps *problems, storeGiven bool) {
	if len(c.Token.Keys) == 0 {
		ps.add(Problem{Key: "token.keys", Rule: "is empty; without a key no token can be issued or opened"})
	}
	switch {
	case c.Denylist.Enabled && c.Denylist.Store == "" && !storeGiven:
		ps.add(Problem{Key: "denylist.store", Rule: "is empty while denylist.enabled is true; name a store, or give one with WithStore"})
	case !c.Denylist.Enabled && storeGiven:
		ps.add(Problem{Key: "denylist.enabled", Value: "false", Rule: "a store was given with WithStore, and would never be asked"})
	case c.Denylist.Enabled && len(c.Denylist.Check) == 0:
		ps.add(Problem{Key: "denylist.check", Rule: "is empty while denylist.enabled is true; no token would ever be looked up"})
	}
}

func (k *Kit) build(cfg *Config, o opener) error {
	tokens, err := cfg.paseto()
	if err != nil {
		return err
	}
	options := []paseto.Option{paseto.WithLogger(o.log), paseto.WithObserver(o.observer)}
	if k.Store != nil {
		options = append(options, paseto.WithDenylist(k.Store))
	}
	if k.Authorizer, err = paseto.New(tokens, options...); err != nil {
		return err
	}
	if !cfg.Token.VerifyOnly && !k.Authorizer.CanIssue() {
		return &Error{Problems: []Problem{{Key: "token.keys", Rule: fmt.Sprintf(
			"none of them can issue %s.%s tokens; add one that can, or set token.verify_only to true",
			cfg.Token.Version, cfg.Token.Purpose)}}}
	}
	web := cfg.httpauth()
	if k.HTTP, err = httpauth.New(k.Authorizer, web, httpauth.WithLogger(o.log)); err != nil {
		return err
	}
	k.Guard, err = wsauth.New(k.Authorizer, cfg.wsauth(web), wsauth.WithLogger(o.log))
	return err
}

// paseto returns what the configuration means for an Authorizer.
func (c *Config) paseto() (paseto.Config, error) {
	keys := make([]paseto.Key, len(c.Token.Keys))
	for i, k := range c.Token.Keys {
		var err error
		if keys[i], err = k.parse(c.Token.Purpose); err != nil {
			return paseto.Config{}, fmt.Errorf("config: token.keys[%d]: %w", i, err)
		}
	}
	return paseto.Config{
		Version:          paseto.Version(c.Token.Version),
		Purpose:          paseto.Purpose(c.Token.Purpose),
		Keys:             keys,
		Issuer:           c.Token.Issuer,
		Audience:         c.Token.Audience,
		RequireIssuer:    c.Token.RequireIssuer,
		RequireAudience:  c.Token.RequireAudience,
		AccessTTL:        ttl(c.Token.AccessTTL),
		RefreshTTL:       ttl(c.Token.RefreshTTL),
		OtherTTL:         ttl(c.Token.OtherTTL),
		MaxTTL:           ttl(c.Token.MaxTTL),
		AllowNoExpiry:    !c.Token.RequireExpiry,
		Leeway:           c.Token.Leeway,
		MaxLength:        c.Token.MaxLength,
		DenylistTypes:    append([]string{}, c.Denylist.Check...),
		DenylistFailOpen: c.Denylist.FailOpen,
	}, nil
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
		Cookie: httpauth.CookieConfig{
			AccessName:     c.HTTP.Cookie.AccessName,
			RefreshName:    c.HTTP.Cookie.RefreshName,
			Path:           c.HTTP.Cookie.Path,
			RefreshPath:    c.HTTP.Cookie.RefreshPath,
			Domain:         c.HTTP.Cookie.Domain,
			Insecure:       !c.HTTP.Cookie.Secure,
			SameSite:       sameSite[c.HTTP.Cookie.SameSite],
			Persistent:     c.HTTP.Cookie.Persistent,
			TrustedOrigins: c.HTTP.Cookie.TrustedOrigins,
		},
	}
}

var sameSite = map[string]http.SameSite{
	"lax": http.SameSiteLaxMode, "strict": http.SameSiteStrictMode, "none": http.SameSiteNoneMode,
}

// wsauth returns what the configuration means for handshakes and connections.
func (c *Config) wsauth(web httpauth.Config) wsauth.Config {
	return wsauth.Config{
		Locations:      convert[wsauth.Location](c.WebSocket.Locations),
		HeaderName:     web.HeaderName,
		HeaderScheme:   web.HeaderScheme,
		CookieName:     web.AccessCookieName(),
		QueryKey:       c.WebSocket.QueryKey,
		QueryPrefix:    c.WebSocket.QueryPrefix,
		Reject:         wsauth.Reject(c.WebSocket.Reject),
		Realm:          c.HTTP.Realm,
		AllowedOrigins: c.WebSocket.AllowedOrigins,
		Subprotocols:   c.WebSocket.Subprotocols,
		ReadLimit:      c.WebSocket.ReadLimit,
		WriteTimeout:   c.WebSocket.WriteTimeout,
		CloseTimeout:   c.WebSocket.CloseTimeout,
	}
}

func ttl(l Lifetime) time.Duration { return time.Duration(l) }

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
