package wsauth

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync"

	"github.com/gorilla/websocket"

	"github.com/pasetokit/pasetokit/internal/origin"
	"github.com/pasetokit/pasetokit/paseto"
)

// Guard decides who may open a WebSocket, and keeps track of the connections
// that it let in. It is safe for concurrent use; [Guard.Shutdown] ends it.
type Guard struct {
	auth     *paseto.Authorizer
	cfg      Config
	route    route // as configured
	origins  []origin.Pattern
	upgrader websocket.Upgrader
	log      *slog.Logger
	conns    registry
}

// New returns a Guard that verifies with auth. The error wraps
// [paseto.ErrConfig] and names everything that is wrong with cfg.
func New(auth *paseto.Authorizer, cfg Config, opts ...Option) (*Guard, error) {
	tickets := auth != nil && auth.CanRevoke()
	g := &Guard{
		auth: auth,
		cfg:  cfg.withDefaults(tickets),
		log:  slog.New(slog.DiscardHandler),
	}
	for _, opt := range opts {
		if opt != nil {
			opt(g)
		}
	}
	errs := []error{g.cfg.validate()}
	if auth == nil {
		errs = append(errs, fmt.Errorf("%w: the Authorizer is nil", paseto.ErrConfig))
	}
	if !tickets && slices.Contains(g.cfg.Locations, Ticket) {
		errs = append(errs, fmt.Errorf("%w: Locations: %w", paseto.ErrConfig, errNoTickets))
	}
	for _, allowed := range g.cfg.AllowedOrigins {
		p, err := origin.ParsePattern(allowed)
		if err != nil {
			errs = append(errs, fmt.Errorf("%w: AllowedOrigins: %w", paseto.ErrConfig, err))
		}
		g.origins = append(g.origins, p)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	g.route = g.cfg.route()
	g.upgrader = websocket.Upgrader{
		HandshakeTimeout: g.cfg.WriteTimeout,
		ReadBufferSize:   1 << 10,
		WriteBufferSize:  4 << 10,
		WriteBufferPool:  new(sync.Pool),
		CheckOrigin:      func(*http.Request) bool { return true }, // done by then
		Error:            g.refuseHandshake,
	}
	return g, nil
}

// Handler is what an application does with a connection. It runs on a
// goroutine of its own, after the HTTP handler has returned, and the
// connection is closed when it returns. The context carries the claims (see
// [paseto.FromContext]) and the values of the request's context, and ends with
// the connection; [context.Cause] then says why. A panic is logged and closes
// the connection with code 1011.
type Handler func(ctx context.Context, conn *Conn)

// Require returns a handler that opens a WebSocket for handshakes with a token
// that meets req, and refuses all others as [Config.Reject] says.
//
// A requirement that no token can meet, or a location that handshakes have not
// got, is logged here, and every handshake is then refused.
func (g *Guard) Require(req paseto.Requirement, serve Handler, opts ...RouteOption) http.Handler {
	in := g.routeFor(req, opts)
	broken := g.check(in, req)
	if serve == nil {
		broken = errors.New("wsauth: the handler is nil")
	}
	if broken != nil {
		g.log.Error("route refuses every handshake", "err", broken)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case !r.ProtoAtLeast(1, 1) || !websocket.IsWebSocketUpgrade(r):
			g.refuse(w, r, in, req, errUpgrade)
			return
		case g.conns.isClosed():
			g.refuse(w, r, in, req, ErrShutdown)
			return
		case broken != nil:
			g.refuse(w, r, in, req, broken)
			return
		}
		if status, err := malformedHandshake(r); err != nil { // before a ticket is used up for it
			g.refuseHandshake(w, r, status, err)
			return
		}
		claims, err := g.authenticate(r, req, in)
		if err != nil {
			g.refuse(w, r, in, req, err)
			return
		}
		g.open(w, r, in, claims, serve)
	})
}

// malformedHandshake reports what is wrong with a handshake that says it is one
// (RFC 6455, section 4.2.1).
func malformedHandshake(r *http.Request) (status int, err error) {
	if r.Method != http.MethodGet {
		return http.StatusMethodNotAllowed, errors.New("a handshake is a GET request")
	}
	if version := r.Header.Values("Sec-Websocket-Version"); len(version) != 1 || version[0] != "13" {
		return http.StatusBadRequest, errors.New("expected one Sec-WebSocket-Version, 13")
	}
	nonce, err := base64.StdEncoding.DecodeString(r.Header.Get("Sec-Websocket-Key"))
	if err != nil || len(nonce) != 16 {
		return http.StatusBadRequest, errors.New("expected 16 bytes in base64 as Sec-WebSocket-Key")
	}
	return 0, nil
}

// Authenticate returns the claims of a handshake from an allowed origin that
// meets req: nil for an anonymous caller of an optional route. It is what
// [Guard.Require] does before it opens the connection, for programs that use
// another WebSocket library; those have to end the connection at
// [paseto.Authorizer.Deadline] themselves. A ticket is used up by it.
func (g *Guard) Authenticate(r *http.Request, req paseto.Requirement, opts ...RouteOption) (*paseto.Claims, error) {
	in := g.routeFor(req, opts)
	if err := g.check(in, req); err != nil {
		return nil, err
	}
	return g.authenticate(r, req, in)
}

var errNoTickets = errors.New("ticket needs an Authorizer with a denylist, for a ticket must work but once")

// check reports what makes a route one that nobody can enter.
func (g *Guard) check(in route, req paseto.Requirement) error {
	if err := in.validate(); err != nil {
		return err
	}
	if slices.Contains(in.Locations, Ticket) && !g.auth.CanRevoke() {
		return errNoTickets
	}
	return req.Validate()
}

func (g *Guard) authenticate(r *http.Request, req paseto.Requirement, in route) (*paseto.Claims, error) {
	if err := g.checkOrigin(r); err != nil {
		return nil, err
	}
	token, where, err := in.find(r)
	if err != nil {
		return nil, err
	}
	if where == Cookie && r.Header.Get("Origin") == "" {
		return nil, originError("the token is in a cookie, and there is no Origin")
	}
	if where == Ticket {
		use := paseto.TicketUse{Path: r.URL.Path, Origin: r.Header.Get("Origin")}
		return g.auth.RedeemTicket(r.Context(), token, req, use)
	}
	return g.auth.Verify(r.Context(), token, req)
}

// open completes the handshake and serves the connection.
func (g *Guard) open(w http.ResponseWriter, r *http.Request, in route, claims *paseto.Claims, serve Handler) {
	if !g.conns.reserve() {
		g.refuse(w, r, in, paseto.Requirement{}, ErrShutdown)
		return
	}
	ws, err := g.upgrade(w, r, in)
	if err != nil {
		g.conns.giveBack()
		return
	}
	c := newConn(g, ws, r, claims)
	g.conns.add(c)
	// The HTTP handler returns now, so that net/http frees its buffers; the
	// connection has a context of its own.
	go g.serve(c, serve)
}

// upgrade answers 101. On an error the request has been answered, or its
// connection closed, and the log told.
func (g *Guard) upgrade(w http.ResponseWriter, r *http.Request, in route) (*websocket.Conn, error) {
	h := make(http.Header)
	if protocol := in.protocol(r); protocol != "" {
		h.Set("Sec-WebSocket-Protocol", protocol)
	}
	ws, err := g.upgrader.Upgrade(hijacker{w}, r, h)
	if err != nil {
		if _, told := errors.AsType[websocket.HandshakeError](err); !told {
			g.log.InfoContext(r.Context(), "handshake broken off", "err", err, "path", r.URL.Path, "remote", r.RemoteAddr)
		}
		return nil, err
	}
	ws.SetReadLimit(g.cfg.ReadLimit)
	return ws, nil
}

// Shutdown refuses new handshakes with status 503, closes every connection with
// code 1001, and waits until all handlers have returned. When ctx ends first it
// cuts the connections that are left and returns the context's error.
// [http.Server.Shutdown] does not do this: it knows nothing of connections that
// have become WebSockets.
func (g *Guard) Shutdown(ctx context.Context) error {
	done := g.conns.close()
	for _, c := range g.conns.all() {
		go c.closeWith(CloseGoingAway, ErrShutdown.Message, ErrShutdown)
	}
	select {
	case <-done:
		return nil
	case <-ctx.Done():
	}
	select {
	case <-done: // both at once: nothing is left
		return nil
	default:
	}
	for _, c := range g.conns.all() {
		_ = c.ws.NetConn().Close() // cut: its handler sees the error
	}
	return ctx.Err()
}
