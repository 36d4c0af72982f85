package wsauth

import (
	"bufio"
	"log/slog"
	"net"
	"net/http"

	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
)

var (
	// ErrShutdown is why the context of a connection has ended that
	// [Guard.Shutdown] closed.
	ErrShutdown = &paseto.Error{Code: "shutting_down", Message: "Server is shutting down"}

	errUpgrade   = &paseto.Error{Code: "upgrade_required", Message: "Expected a WebSocket handshake"}
	errHandshake = &paseto.Error{Code: "handshake_invalid", Message: "Bad WebSocket handshake"}
)

// overHTTP lists the refusals that are answered over HTTP whatever is
// configured, because they are not about a token.
var overHTTP = map[string]int{
	errUpgrade.Code:            http.StatusUpgradeRequired,
	ErrShutdown.Code:           http.StatusServiceUnavailable,
	ErrOrigin.Code:             http.StatusForbidden,
	paseto.ErrUnavailable.Code: http.StatusServiceUnavailable,

	paseto.ErrKeysUnavailable.Code: http.StatusServiceUnavailable,
}

// refuse answers a handshake that is not let in.
func (g *Guard) refuse(w http.ResponseWriter, r *http.Request, in route, req paseto.Requirement, err error) {
	refusal := httpauth.Refusal(err)
	status, always := overHTTP[refusal.Code]
	if !always {
		status = httpauth.Status(err)
	}
	g.logRefusal(r, refusal.Code, status, err)

	switch {
	case always:
		if status == http.StatusUpgradeRequired && r.ProtoMajor == 1 {
			w.Header().Set("Upgrade", "websocket")
			w.Header().Set("Connection", "Upgrade")
		}
		httpauth.WriteProblem(w, status, refusal)
	case g.cfg.Reject == RejectHTTP, refusal.Code == httpauth.ErrServer.Code:
		httpauth.Refuse(w, err, httpauth.Challenge{Scheme: in.Scheme, Realm: g.cfg.Realm, Scopes: req.Scopes})
	default:
		g.refuseByClose(w, r, in, refusal)
	}
}

// logRefusal logs what is the server's fault louder than what is the client's;
// that the client has gone away is its own.
func (g *Guard) logRefusal(r *http.Request, code string, status int, err error) {
	level := slog.LevelInfo
	if status >= http.StatusInternalServerError && r.Context().Err() == nil {
		level = slog.LevelError
	}
	g.log.Log(r.Context(), level, "handshake refused", "code", code, "err", err,
		"path", r.URL.Path, "remote", r.RemoteAddr, "origin", r.Header.Get("Origin"))
}

// refuseByClose completes the handshake only to close with the reason. No
// application code runs on the connection and nothing that the client sends is
// looked at.
func (g *Guard) refuseByClose(w http.ResponseWriter, r *http.Request, in route, refusal *paseto.Error) {
	if !g.conns.reserve() {
		httpauth.WriteProblem(w, http.StatusServiceUnavailable, ErrShutdown)
		return
	}
	ws, err := g.upgrade(w, r, in)
	if err != nil {
		g.conns.giveBack()
		return
	}
	c := newConn(g, ws, r, nil)
	g.conns.add(c)
	go func() {
		defer g.conns.remove(c)
		c.closeWith(ClosePolicyViolation, refusal.Message, refusal)
		c.finish()
	}()
}

// refuseHandshake answers what gorilla/websocket finds wrong with a handshake,
// or with the server.
func (g *Guard) refuseHandshake(w http.ResponseWriter, r *http.Request, status int, reason error) {
	refusal := errHandshake
	if status >= http.StatusInternalServerError {
		refusal = httpauth.ErrServer
	}
	g.logRefusal(r, refusal.Code, status, reason)
	w.Header().Set("Sec-WebSocket-Version", "13")
	if status == http.StatusMethodNotAllowed {
		w.Header().Set("Allow", http.MethodGet)
	}
	httpauth.WriteProblem(w, status, refusal)
}

// hijacker lets gorilla/websocket take the connection over through the wrappers
// that middleware puts around a ResponseWriter.
type hijacker struct{ http.ResponseWriter }

func (h hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return http.NewResponseController(h.ResponseWriter).Hijack()
}
