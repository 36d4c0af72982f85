package httpauth

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/pasetokit/pasetokit/internal/clientaddr"
	"github.com/pasetokit/pasetokit/internal/clientlog"
	"github.com/pasetokit/pasetokit/internal/locate"
	"github.com/pasetokit/pasetokit/internal/origin"
	"github.com/pasetokit/pasetokit/internal/settings"
	"github.com/pasetokit/pasetokit/internal/settings/format"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/live"
)

// Config says where requests carry tokens. The zero value of every field is
// its documented default.
type Config struct {
	// Locations lists where the token of a request may be: header, cookie, json. A
	// request must carry exactly one. Default header.
	Locations []Location `koanf:"locations" default:"header" validate:"omitempty,min=1,unique,dive,http_location"`
	// HeaderName is the request header that carries the token. Default Authorization.
	HeaderName string `koanf:"header_name" default:"Authorization" validate:"omitempty,http_token"`
	// HeaderScheme is the scheme before the token in that header, compared
	// without regard to case; one or more spaces follow it. Default Bearer; [NoScheme]
	// for the bare token.
	HeaderScheme string `koanf:"header_scheme" default:"Bearer" validate:"omitempty,http_token"`
	// JSONKey is the member of a JSON body that carries the token. Default access_token.
	JSONKey string `koanf:"json_key" default:"access_token"`
	// JSONPrefix is a scheme before the token in that member. Default none: the bare token.
	JSONPrefix string `koanf:"json_prefix" validate:"omitempty,http_token"`
	// Realm names the protected area in challenges (RFC 9110, section 11.5).
	// Default api.
	Realm string `koanf:"realm" default:"api" validate:"omitempty,realm"`
	// MaxBody is the largest request body in bytes that login, refresh, logout
	// and the location json read; a larger one is answered with 413. Default 65536.
	MaxBody int64 `koanf:"max_body" default:"65536" validate:"omitempty,min=1024,max=67108864"`
	// AllowedOrigins lists the origins, besides the server's own, whose pages may use
	// the endpoints and the guarded routes, as in "https://app.example.com" or
	// "http://localhost:3000". A host that begins with "*." stands for every host below
	// it. [Web.CORS] tells browsers so; unsafe requests that authenticate by cookie are
	// taken from no other origin. Default none. Danger: where cookies carry tokens, such
	// a page can act for every visitor whose browser sends it the cookies; list no
	// origin whose pages you do not trust like your own.
	AllowedOrigins []string `koanf:"allowed_origins" validate:"omitempty,unique,dive,origin"`
	// PublicScheme is the scheme by which clients reach this server, http or https, for
	// requests and for handshakes. Pages of that scheme alone are of the server's own
	// origin. Default none: https for a request that came by TLS, and else both, for a
	// proxy may have ended TLS. Set it to https behind such a proxy. Danger: without it,
	// pages of http:// and the server's own host count as its own there, in browsers that
	// do not send Sec-Fetch-Site, and an attacker who controls the network of a visitor
	// can make such pages.
	PublicScheme string `koanf:"public_scheme" validate:"omitempty,oneof=http https"`
	// TrustedProxies lists the addresses, and networks in CIDR notation, whose
	// X-Forwarded-For is believed, for requests and for handshakes, such as 10.0.0.0/8: the
	// client's address is then the rightmost one in it that is not of a trusted proxy. The word unix is for
	// a proxy that connects through a Unix socket, and has no address. Default none: the
	// address is the peer's own. Danger: a client that can reach the server from a listed
	// address can claim any address; and behind a proxy that is not listed all
	// clients have one address, the proxy's.
	TrustedProxies []string `koanf:"trusted_proxies" validate:"omitempty,unique,dive,proxy"`
	// Login bounds how fast passwords can be guessed at [Web.Login].
	Login LoginLimits `koanf:"login"`
	// TicketsPerMinute is how many tickets one session gets in a minute; where the access
	// token has no session, its subject, and else the token. All of them may come at once,
	// and the count is refilled evenly within a minute. Beyond it the answer has status 429
	// and Retry-After. [paseto.NoLimit] for any number. Default 60. Each [Web], and so each process,
	// counts for itself, and remembers 65,536 sessions. Danger: each ticket that is used
	// leaves a record in the denylist, so without a limit one login can fill it.
	TicketsPerMinute int `koanf:"tickets_per_minute" default:"60" validate:"omitempty,none|min=1,max=1000000000"`
	// Cookie describes the cookies of the location cookie.
	Cookie CookieConfig `koanf:"cookie"`
	// Stream is about responses that end with their right, at [Web.Stream].
	Stream StreamConfig `koanf:"stream"`
}

// CookieConfig describes the cookies that carry tokens. They are always HttpOnly.
type CookieConfig struct {
	// AccessName is the name of the access token's cookie, without prefix. Default
	// access_token. It travels as __Host-access_token where [CookieConfig.Path] is /
	// and there is no [CookieConfig.Domain], else as __Secure-access_token; with
	// [CookieConfig.Insecure] without a prefix.
	AccessName string `koanf:"access_name" default:"access_token" validate:"omitempty,http_token"`
	// RefreshName is the name of the refresh token's cookie, without prefix. Default
	// refresh_token.
	RefreshName string `koanf:"refresh_name" default:"refresh_token" validate:"omitempty,http_token"`
	// Path limits the access token's cookie to a part of the site. Default /. Danger:
	// with another path the name cannot carry the prefix __Host-, and other hosts of the
	// domain can set a cookie of that name; a warning is logged once. Before you change it,
	// see [CookieConfig.Former].
	Path string `koanf:"path" default:"/" validate:"omitempty,cookie_path"`
	// RefreshPath limits the refresh token's cookie to a part of the site, which must have
	// the refresh and the logout endpoint. Default /. Danger: as for [CookieConfig.Path].
	RefreshPath string `koanf:"refresh_path" default:"/" validate:"omitempty,cookie_path"`
	// Domain widens the cookies to all hosts of a domain. Default none: they
	// go to the host that set them and to no other. Danger: every host below
	// the domain can then read and overwrite them, since the name cannot carry the
	// prefix __Host-; a warning is logged once.
	Domain string `koanf:"domain" validate:"omitempty,domain"`
	// Former lists at most 8 scopes in which the cookies were set before
	// [CookieConfig.Path], [CookieConfig.RefreshPath], [CookieConfig.Domain] or
	// [CookieConfig.Insecure] were changed: each a path, or a domain and a path, as in
	// /api or example.com/. Login, refresh and logout delete the cookies there, of both
	// names, with each prefix that they could have had. Without it a browser that has
	// cookies of both scopes sends two of one name, which guarded routes refuse with
	// credential_ambiguous. Each scope costs an answer up to four Set-Cookie headers: take it out when the old
	// cookies have expired. Default none.
	Former []string `koanf:"former" validate:"omitempty,max=8,unique,dive,cookie_scope"`
	// Insecure lets the cookies travel over plain HTTP, for development
	// without TLS. Default false: they are Secure. (Browsers treat localhost
	// as secure.) Danger: a network between can then read the tokens.
	Insecure bool `koanf:"insecure"`
	// SameSite says whether requests from other sites carry the cookies: lax (only when
	// a visitor follows a link), strict (never) or none (always; browsers refuse that
	// with [CookieConfig.Insecure]). Default lax.
	SameSite SameSite `koanf:"same_site" default:"lax" validate:"omitempty,oneof=lax strict none"`
	// Persistent keeps the cookies until the tokens expire. Default false:
	// they are session cookies, which end with the browser's.
	Persistent bool `koanf:"persistent"`
}

// SameSite says whether requests from other sites carry the cookies.
type SameSite string

const (
	// SameSiteLax sends the cookies from another site only when a visitor follows a link.
	SameSiteLax SameSite = "lax"
	// SameSiteStrict never sends them from another site.
	SameSiteStrict SameSite = "strict"
	// SameSiteNone always sends them.
	SameSiteNone SameSite = "none"
)

// mode returns what the cookie says.
func (s SameSite) mode() http.SameSite {
	return map[SameSite]http.SameSite{
		SameSiteLax: http.SameSiteLaxMode, SameSiteStrict: http.SameSiteStrictMode, SameSiteNone: http.SameSiteNoneMode,
	}[s]
}

// Option gives a [Web] one of its collaborators.
type Option func(*Web)

// WithLogger logs refusals at level Info and failures of the server at level Error,
// without tokens and passwords. What clients send is cut to 200 bytes and escaped. A
// client address causes at most 20 lines of a kind in a minute. The first line after
// that minute comes with one that says how many were left out. Default, and with nil:
// nothing is logged.
func WithLogger(logger *slog.Logger) Option {
	return func(w *Web) {
		if logger != nil {
			w.log = logger
		}
	}
}

// Web guards handlers and serves the token endpoints. It is safe for concurrent
// use and needs no Close; see [Web.Keeper] for what it keeps open.
type Web struct {
	auth      *paseto.Authorizer
	keeper    *live.Keeper
	cfg       Config
	route     locate.Route    // as configured
	origins   origin.Patterns // AllowedOrigins
	addresses clientaddr.Finder
	guesses   *guesses
	places    *places
	tickets   ticketLimit
	proxySeen atomic.Bool
	implicit  func(*http.Request) []byte // nil: none
	former    []*http.Cookie             // deletes the cookies of former scopes
	log       *slog.Logger
	clientLog *clientlog.Log // where clients choose what is logged, or how often
}

// New returns a Web that verifies and issues with auth. The error wraps
// [paseto.ErrConfig] and names everything that is wrong with cfg.
func New(auth *paseto.Authorizer, cfg Config, opts ...Option) (*Web, error) {
	w := &Web{
		auth: auth,
		cfg:  cfg.withDefaults(),
		log:  slog.New(slog.DiscardHandler),
	}
	for _, opt := range opts {
		if opt != nil {
			opt(w)
		}
	}
	err := cfg.Validate()
	if auth == nil {
		err = errors.Join(err, fmt.Errorf("%w: the Authorizer is nil", paseto.ErrConfig))
	} else {
		err = errors.Join(err, w.keep())
	}
	if err != nil {
		return nil, err
	}
	w.route = w.cfg.route()
	w.origins = origin.ParsePatterns(w.cfg.AllowedOrigins)
	w.former = w.formerCookies()
	w.addresses, _ = clientaddr.Parse(w.cfg.TrustedProxies) // valid
	w.guesses = newGuesses(w.cfg.Login, auth.Now)
	w.places = newPlaces(w.cfg.Login.Concurrent)
	w.tickets = newTicketLimit(w.cfg.TicketsPerMinute, auth.Now)
	w.clientLog = clientlog.New(w.log, auth.Now)
	w.warnOfCookies()
	return w, nil
}

// Authorizer returns the Authorizer that the Web verifies and issues with.
func (w *Web) Authorizer() *paseto.Authorizer { return w.auth }

// Config returns the configuration with its defaults filled in. Changing it changes
// nothing in the Web.
func (w *Web) Config() Config { return w.cfg.withDefaults() }

// client returns the addresses that limits count together with that of the client
// that sent r: the address itself, and of IPv6 its /64 network.
func (w *Web) client(r *http.Request) netip.Prefix { return clientaddr.Bucket(w.addresses.Find(r)) }

// Validate reports everything that is wrong with the configuration, as an error that
// wraps [paseto.ErrConfig]. [New] calls it.
func (c Config) Validate() error {
	problems := settings.Check(c, format.All)
	c = c.withDefaults()
	for _, cookie := range []struct{ field, name, path string }{
		{"Cookie.AccessName", c.Cookie.AccessName, c.Cookie.Path}, {"Cookie.RefreshName", c.Cookie.RefreshName, c.Cookie.RefreshPath},
	} {
		host, secure := strings.HasPrefix(cookie.name, "__Host-"), strings.HasPrefix(cookie.name, "__Secure-")
		switch {
		case (host || secure) && c.Cookie.Insecure:
			problems.Add(cookie.field, cookie.name, "browsers refuse the prefix while {Cookie.Insecure} is true")
		case host && (c.Cookie.Domain != "" || cookie.path != "/"):
			problems.Add(cookie.field, cookie.name, "browsers refuse the prefix __Host- with a domain or another path than /")
		}
	}
	if c.accessCookie() == c.refreshCookie() {
		problems.Add("Cookie.RefreshName", c.Cookie.RefreshName, "must differ from {Cookie.AccessName}")
	}
	if c.Cookie.SameSite == SameSiteNone && c.Cookie.Insecure {
		problems.Add("Cookie.SameSite", c.Cookie.SameSite, "browsers refuse it while {Cookie.Insecure} is true")
	}
	return problems.Err(paseto.ErrConfig)
}

// withDefaults returns the configuration with its defaults filled in.
func (c Config) withDefaults() Config {
	settings.SetDefaults(&c)
	c.Login.Concurrent = cmp.Or(c.Login.Concurrent, max(4, runtime.GOMAXPROCS(0)))
	for _, list := range []*[]string{&c.AllowedOrigins, &c.TrustedProxies, &c.Cookie.Former} {
		*list = slices.Clone(*list)
	}
	c.Locations = slices.Clone(c.Locations)
	return c
}
