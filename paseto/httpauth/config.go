package httpauth

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"sync/atomic"

	"github.com/pasetokit/pasetokit/internal/clientaddr"
	"github.com/pasetokit/pasetokit/internal/clientlog"
	"github.com/pasetokit/pasetokit/internal/locate"
	"github.com/pasetokit/pasetokit/internal/origin"
	"github.com/pasetokit/pasetokit/paseto"
)

// Location is where a request carries its token.
type Location string

const (
	// Header is a request header, Authorization unless configured otherwise. One of
	// another scheme, such as Basic, is not ours: it counts as no token, and is
	// refused only where a token is required and there is no other.
	Header Location = "header"
	// Cookie is a cookie.
	Cookie Location = "cookie"
	// JSON is a member of a JSON body. The body is read before the handler
	// runs, and the handler can read it again; one that is larger than
	// [Config.MaxBody], or is not a JSON object, is refused even if the token
	// is elsewhere.
	JSON Location = "json"
)

// Config says where requests carry tokens. The zero value of every field is
// its documented default.
type Config struct {
	// Locations lists where the token of a request may be. Default Header.
	Locations []Location
	// HeaderName is the header of the location Header. Default Authorization.
	HeaderName string
	// HeaderScheme is the scheme before the token in that header, compared
	// without regard to case; one or more spaces follow it. Default Bearer; [NoScheme]
	// for the bare token.
	HeaderScheme string
	// JSONKey is the body member of the location JSON. Default access_token.
	JSONKey string
	// JSONPrefix is a scheme before the token in that member. Default none.
	JSONPrefix string
	// Cookie describes the cookies of the location of that name.
	Cookie CookieConfig
	// MaxBody is the largest request body in bytes that Login, Refresh, Logout
	// and the location JSON read; a larger one is answered with 413. Default 64 KiB.
	MaxBody int64
	// Realm names the protected area in challenges (RFC 9110, section 11.5).
	// Default "api".
	Realm string
	// AllowedOrigins lists the origins, besides the server's own, whose pages may use
	// the endpoints and the guarded routes, as in "https://app.example.com" or
	// "http://localhost:3000". A host that begins with "*." stands for every host below
	// it. [Web.CORS] tells browsers so; unsafe requests that authenticate by cookie are
	// taken from no other origin. Default none. Danger: where Cookie is among Locations,
	// such a page can act for every visitor whose browser sends it the cookies; list no
	// origin whose pages you do not trust like your own.
	AllowedOrigins []string
	// PublicScheme is the scheme by which clients reach this server, "http" or "https".
	// Pages of that scheme alone are of the server's own origin. Default: https for a
	// request that came by TLS, and else both, for a proxy may have ended TLS. Set it to
	// https behind such a proxy. Danger: without it, pages of http:// and the server's
	// own host count as its own there, in browsers that do not send Sec-Fetch-Site, and
	// an attacker who controls the network of a visitor can make such pages.
	PublicScheme string
	// TrustedProxies lists the addresses, and networks in CIDR notation, whose
	// X-Forwarded-For is believed: the client's address is then the rightmost
	// one in it that is not of a trusted proxy. The word unix is for a proxy that
	// connects through a Unix socket, and has no address. Default none: the address is
	// the peer's own. Danger: a client that can reach the server from a listed
	// address can claim any address; and behind a proxy that is not listed all
	// clients have one address, the proxy's.
	TrustedProxies []string
	// Login bounds how fast passwords can be guessed at [Web.Login].
	Login LoginLimits
	// TicketsPerMinute is how many tickets [Web.Ticket] gives to one session in a
	// minute; where the access token has no session, to its subject, and else to the
	// token. It is a bucket: all of them may come at once, and it is refilled evenly
	// within a minute. Beyond it the answer has status 429. Default 60; [NoLimit]
	// lifts it. Each Web counts for itself, and remembers 65,536 sessions. Danger:
	// each ticket that is used leaves a record in the denylist, so without a limit
	// one login can fill it.
	TicketsPerMinute int
}

// NoScheme, as [Config.HeaderScheme], makes the header's value the bare token.
const NoScheme = locate.NoScheme

// CookieConfig describes the cookies that carry tokens. They are always HttpOnly.
type CookieConfig struct {
	// AccessName and RefreshName are the names, without prefix. Defaults
	// access_token and refresh_token.
	AccessName, RefreshName string
	// Path and RefreshPath limit the cookies to a part of the site. Defaults /
	// and /. Danger: with another path the name cannot carry the prefix __Host-, and
	// other hosts of the domain can set a cookie of that name. [New] logs a warning.
	Path, RefreshPath string
	// Domain widens the cookies to all hosts of a domain. Default none: they
	// go to the host that set them and to no other. Danger: every host below
	// the domain can then read and overwrite them, since the name cannot carry the
	// prefix __Host-. [New] logs a warning.
	Domain string
	// Former lists at most 8 scopes in which the cookies were set before Path,
	// RefreshPath, Domain or Insecure were changed. Login, Refresh and Logout delete
	// the cookies there, of both names, with each prefix that they could have had.
	// Without it a browser that has cookies of both scopes sends two of one name,
	// which guarded routes refuse. Each scope costs an answer up to four Set-Cookie
	// headers: take it out when the old cookies have expired. Default none.
	Former []CookieScope
	// Insecure lets the cookies travel over plain HTTP, for development
	// without TLS. Default false: they are Secure. (Browsers treat localhost
	// as secure.)
	Insecure bool
	// SameSite is [http.SameSiteLaxMode] by default. [http.SameSiteNoneMode]
	// lets other sites' pages send the cookies, and needs Secure.
	SameSite http.SameSite
	// Persistent keeps the cookies until the tokens expire. Default false:
	// they are session cookies, which end with the browser's.
	Persistent bool
}

// CookieScope is where browsers send a cookie.
type CookieScope struct {
	// Path is the part of the site. Default /.
	Path string
	// Domain is the domain whose hosts all get the cookie. Default none: the host
	// alone that set it.
	Domain string
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
// use and needs no Close.
type Web struct {
	auth      *paseto.Authorizer
	cfg       Config
	route     route           // as configured
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
	var errs []error
	bad := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("%w: %s", paseto.ErrConfig, fmt.Sprintf(format, args...)))
	}
	if auth == nil {
		bad("the Authorizer is nil")
	}
	w.route = w.cfg.route()
	if err := locate.ValidateLocations(w.cfg.Locations, locate.RequestLocation); err != nil {
		bad("Locations: %s", err.Message)
	}
	if !locate.IsToken(w.cfg.HeaderName) {
		bad("HeaderName %.64q is not the name of a header", w.cfg.HeaderName)
	}
	for _, s := range []struct{ field, scheme string }{
		{"HeaderScheme", w.cfg.HeaderScheme}, {"JSONPrefix", w.cfg.JSONPrefix},
	} {
		if !locate.IsScheme(s.scheme) {
			bad("%s %.64q has a space or other separator in it", s.field, s.scheme)
		}
	}
	w.origins = parseOrigins(w.cfg.AllowedOrigins, bad)
	if err := origin.ValidateScheme(w.cfg.PublicScheme); err != nil {
		bad("PublicScheme %s", err)
	}
	for name, path := range map[string]string{
		w.cfg.AccessCookieName():  w.cfg.Cookie.Path,
		w.cfg.RefreshCookieName(): w.cfg.Cookie.RefreshPath,
	} {
		if err := w.cookie(name, "x", path).Valid(); err != nil {
			bad("Cookie %q: %v", name, err)
		}
		if err := w.cfg.Cookie.keeps(name, path); err != nil {
			bad("Cookie %q: %v", name, err)
		}
	}
	w.former = w.formerCookies(bad)
	var wrong []error
	w.addresses, wrong = clientaddr.Parse(w.cfg.TrustedProxies)
	for _, err := range wrong {
		bad("TrustedProxies: %v", err)
	}
	if !locate.IsRealm(w.cfg.Realm) {
		bad("Realm is not printable ASCII without quotes and backslashes")
	}
	if w.cfg.AccessCookieName() == w.cfg.RefreshCookieName() {
		bad("Cookie.AccessName and Cookie.RefreshName are the same")
	}
	if w.cfg.Cookie.SameSite == http.SameSiteNoneMode && w.cfg.Cookie.Insecure {
		bad("Cookie.SameSite None needs Secure cookies")
	}
	w.cfg.Login.validate(bad)
	if n := w.cfg.TicketsPerMinute; n < NoLimit {
		bad("TicketsPerMinute is %d; expected 0 (for the default), NoLimit, or more", n)
	}
	if w.cfg.MaxBody < 0 {
		bad("MaxBody is %d; expected 0 (for the default) or more", w.cfg.MaxBody)
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	w.guesses = newGuesses(w.cfg.Login, auth.Now)
	w.places = newPlaces(w.cfg.Login.Concurrent)
	w.tickets = newTicketLimit(w.cfg.TicketsPerMinute, auth.Now)
	w.clientLog = clientlog.New(w.log, auth.Now)
	w.warnOfCookies()
	return w, nil
}

// client returns the addresses that limits count together with that of the client
// that sent r: the address itself, and of IPv6 its /64 network.
func (w *Web) client(r *http.Request) netip.Prefix { return clientaddr.Bucket(w.addresses.Find(r)) }

func (c Config) withDefaults() Config {
	if len(c.Locations) == 0 {
		c.Locations = []Location{Header}
	}
	c.Locations = slices.Clone(c.Locations)
	c.HeaderName = cmp.Or(c.HeaderName, "Authorization")
	c.HeaderScheme = cmp.Or(c.HeaderScheme, "Bearer")
	c.JSONKey = cmp.Or(c.JSONKey, "access_token")
	c.Cookie.AccessName = cmp.Or(c.Cookie.AccessName, "access_token")
	c.Cookie.RefreshName = cmp.Or(c.Cookie.RefreshName, "refresh_token")
	c.Cookie.Path = cmp.Or(c.Cookie.Path, "/")
	c.Cookie.RefreshPath = cmp.Or(c.Cookie.RefreshPath, "/")
	c.Cookie.SameSite = cmp.Or(c.Cookie.SameSite, http.SameSiteLaxMode)
	c.MaxBody = cmp.Or(c.MaxBody, 64<<10)
	c.Realm = cmp.Or(c.Realm, "api")
	c.Login = c.Login.withDefaults()
	c.TicketsPerMinute = cmp.Or(c.TicketsPerMinute, DefaultTicketsPerMinute)
	return c
}
