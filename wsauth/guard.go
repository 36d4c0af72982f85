package wsauth

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"github.com/pasetokit/pasetokit/internal/clientaddr"
	"github.com/pasetokit/pasetokit/internal/clientlog"
	"github.com/pasetokit/pasetokit/internal/locate"
	"github.com/pasetokit/pasetokit/internal/origin"
	"github.com/pasetokit/pasetokit/internal/refusal"
	"github.com/pasetokit/pasetokit/internal/schedule"
	"github.com/pasetokit/pasetokit/internal/throttle"
	"github.com/pasetokit/pasetokit/internal/urlpath"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
	"github.com/pasetokit/pasetokit/paseto/live"
)

// Guard decides who may open a WebSocket, and closes each connection when its right ends. A
// [live.Keeper] holds these rights. A Guard is safe for concurrent use. [Guard.Shutdown] ends
// it.
type Guard struct {
	auth     *paseto.Authorizer
	keeper   *live.Keeper
	cfg      Config
	web      httpauth.Config // of the Web, with the defaults filled in
	route    route           // as configured
	origins  origin.Patterns
	upgrader websocket.Upgrader
	log      *slog.Logger

	connContext func(context.Context, *http.Request) context.Context // nil: the default

	pings   *schedule.Schedule[*Conn]
	started sync.Once // the pings
	made    time.Time // meters count time from here
	lobby   *lobby

	addresses  clientaddr.Finder
	clientLog  *clientlog.Log                // for lines that clients can cause
	handshakes *throttle.Table[netip.Prefix] // nil: not limited
	failures   *throttle.Table[netip.Prefix] // nil: not limited
	foreign    *throttle.Table[netip.Prefix] // handshakes of other origins; nil: not limited
}

// New returns a Guard that uses the Authorizer of web to verify tokens, and the Keeper of web
// to hold the rights of its connections (see [httpauth.WithKeeper]). From [httpauth.Config] it
// takes header, cookies, realm, public scheme and trusted proxies, and nothing else. The
// origins that may connect are those of [Config.AllowedOrigins]. The error wraps
// [paseto.ErrConfig] and names everything that is wrong with cfg.
func New(web *httpauth.Web, cfg Config, opts ...Option) (*Guard, error) {
	if web == nil {
		return nil, errors.Join(cfg.Validate(), fmt.Errorf("%w: the Web is nil; make one with httpauth.New", paseto.ErrConfig))
	}
	auth := web.Authorizer()
	tickets := auth.CanRevoke()
	g := &Guard{
		auth:   auth,
		keeper: web.Keeper(),
		cfg:    cfg.withDefaults(tickets),
		web:    web.Config(),
		log:    slog.New(slog.DiscardHandler),
		made:   time.Now(),
		pings:  schedule.New(time.Now, func(c *Conn) *schedule.Alarm { return &c.alarm }),
	}
	for _, opt := range opts {
		if opt != nil {
			opt(g)
		}
	}
	errs := []error{cfg.Validate()}
	if !tickets && slices.Contains(g.cfg.Locations, httpauth.LocationTicket) {
		errs = append(errs, fmt.Errorf("%w: Locations: %w", paseto.ErrConfig, errNoTickets))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	g.origins = origin.ParsePatterns(cfg.AllowedOrigins)
	g.addresses, _ = clientaddr.Parse(g.web.TrustedProxies) // valid
	g.limit()
	g.route = newRoute(g.cfg, g.web)
	g.upgrader = websocket.Upgrader{
		HandshakeTimeout: g.cfg.WriteTimeout,
		WriteBufferSize:  4 << 10,
		WriteBufferPool:  new(sync.Pool),
		CheckOrigin:      func(*http.Request) bool { return true }, // checked before
		Error:            g.refuseHandshake,
	}
	return g, nil
}

// Handler serves a connection. It runs on a goroutine of its own, after the HTTP handler has
// returned. The connection is closed when it returns. The context has the claims in force (see
// [paseto.FromContext]) and the values of [WithConnContext]. It ends with the connection, and
// [context.Cause] then says why. A panic is logged and counted, and closes the connection with
// code 1011.
type Handler func(ctx context.Context, conn *Conn)

// Require returns an HTTP handler that opens a WebSocket for handshakes with a token that meets
// req, and refuses all others as [Config.Reject] says.
//
// A mistake of the program, such as a requirement that no token can meet, or a location that
// handshakes do not have, is logged here. Then every handshake is refused.
func (g *Guard) Require(req paseto.Requirement, serve Handler, opts ...httpauth.RouteOption) http.Handler {
	t := &gate{guard: g, req: req, in: g.routeFor(req, opts), serve: serve}
	t.messages, t.broken = t.in.tokenMessages()
	if broken := g.check(t.in, req); broken != nil {
		t.broken = broken
	}
	if serve == nil {
		t.broken = errors.New("wsauth: the handler is nil")
	}
	switch {
	case t.broken != nil:
		g.log.Error("route refuses every handshake", "err", t.broken)
	case t.messages != builtIn && !t.in.takesMessage() && !g.cfg.RenewMessages:
		g.log.Warn("WithTokenMessages has no effect on a route; give the route the location message, or set RenewMessages")
	}
	return t
}

// malformedHandshake reports what is wrong with the form of a handshake (RFC 6455, section
// 4.2.1).
func malformedHandshake(r *http.Request) (status int, err error) {
	if r.Method != http.MethodGet {
		return http.StatusMethodNotAllowed, errors.New("a handshake is a GET request")
	}
	if version := r.Header.Values("Sec-Websocket-Version"); len(version) != 1 || version[0] != "13" {
		return http.StatusBadRequest, errors.New("expected one Sec-WebSocket-Version, 13")
	}
	if key := r.Header.Values("Sec-Websocket-Key"); len(key) != 1 || !isNonce(key[0]) {
		return http.StatusBadRequest, errors.New("expected one Sec-WebSocket-Key, of 16 bytes in base64")
	}
	if r.ContentLength != 0 || len(r.TransferEncoding) > 0 {
		return http.StatusBadRequest, errors.New("a handshake has no body; expected neither Content-Length nor Transfer-Encoding")
	}
	return 0, nil
}

// isNonce reports whether s is 16 bytes in base64 of the usual form. The decoder alone also
// accepts line breaks, and stray bits at the end.
func isNonce(s string) bool {
	nonce, err := base64.StdEncoding.DecodeString(s)
	return err == nil && len(nonce) == 16 && base64.StdEncoding.EncodeToString(nonce) == s
}

// Authenticate checks a handshake as [Guard.Require] does before it opens a connection, and
// returns the claims of its token: nil for an anonymous caller of an optional route. It is for
// programs that use another WebSocket library. Such a program opens a right with
// [live.Keeper.Open], closes its connection as [Guard.CloseFor] says when the right ends, and
// reads the token of a first message itself. Authenticate uses a ticket up, unless the request
// breaks RFC 6455. Of the limits it counts only those for the client's address.
func (g *Guard) Authenticate(r *http.Request, req paseto.Requirement, opts ...httpauth.RouteOption) (*paseto.Claims, error) {
	in := g.routeFor(req, opts)
	if err := g.check(in, req); err != nil {
		return nil, err
	}
	if websocket.IsWebSocketUpgrade(r) { // and not of another protocol than HTTP/1.1
		if _, err := malformedHandshake(r); err != nil {
			return nil, refusal.Newf(errHandshake, "%w", err)
		}
	}
	try, err := g.beginHandshake(r)
	if err != nil {
		return nil, err
	}
	err = errCheckPanicked
	defer func() { try.done(err) }()
	token, where, err := in.find(r, req.Optional)
	if err != nil {
		return nil, err
	}
	values := func() context.Context { return g.valuesOf(r, req) }
	claims, err := g.verify(r, atHandshake(req, values), token, where, nil)
	return claims, err
}

// errCheckPanicked is the outcome of an attempt that a panic ends.
var errCheckPanicked = errors.New("wsauth: the check of a requirement panicked")

var errNoTickets = errors.New("ticket needs an Authorizer with a denylist, because a ticket must work only once")

// check reports why nobody could pass a route.
func (g *Guard) check(in route, req paseto.Requirement) error {
	if err := in.Validate(); err != nil {
		return err
	}
	if slices.Contains(in.Locations, locate.InTicket) && !g.auth.CanRevoke() {
		return errNoTickets
	}
	if in.Login && !req.Optional {
		return errors.New("wsauth: WithLogin is for optional routes; set Optional in the requirement")
	}
	return req.Validate()
}

// beginHandshake checks the Origin of a handshake, and begins to count it, before its token is
// looked at.
func (g *Guard) beginHandshake(r *http.Request) (attempt, error) {
	if err := g.checkOrigin(r); err != nil {
		if wait, ok := g.foreign.Allow(g.client(r)); !ok {
			return attempt{}, refusal.Later(ErrThrottled, wait)
		}
		return attempt{}, err
	}
	return g.begin(r)
}

// verify returns the claims of a token that was found at the location where. For a ticket it
// calls ready, which may be nil, right before it uses the ticket up, and keeps the ticket if
// ready returns an error.
func (g *Guard) verify(r *http.Request, req paseto.Requirement, token, where string, ready func() error) (*paseto.Claims, error) {
	if where == locate.InCookie && r.Header.Get("Origin") == "" {
		return nil, originError("the token is in a cookie, and there is no Origin")
	}
	if where == locate.InTicket {
		use := paseto.TicketUse{Path: g.pathOf(r), Origin: originOf(r), Ready: ready}
		return g.auth.RedeemTicket(r.Context(), token, req, use)
	}
	return g.auth.Verify(r.Context(), token, req)
}

// pathOf returns the path of the URL that the client opened, as it was sent. r.URL has another
// one after [http.StripPrefix]. EscapedPath alone would not be enough: when it has to escape a
// path itself, it does not escape slashes.
func (g *Guard) pathOf(r *http.Request) string {
	target := r.URL
	if sent, err := url.ParseRequestURI(r.RequestURI); err == nil {
		target = sent
	}
	prefix, _ := urlpath.Normal(g.cfg.PathPrefix) // empty without a prefix
	return prefix + cmp.Or(target.RawPath, target.EscapedPath())
}
