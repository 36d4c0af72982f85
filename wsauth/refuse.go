package wsauth

import (
	"bufio"
	"errors"
	"net"
	"net/http"

	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
)

var (
	errUpgrade   = &paseto.Error{Code: "upgrade_required", Message: "Expected a WebSocket handshake"}
	errHandshake = &paseto.Error{Code: "handshake_invalid", Message: "Bad WebSocket handshake"}
	errShutdown  = &paseto.Error{Code: "shutting_down", Message: "Server is shutting down"}
)

// overHTTP lists the refusals that are answered over HTTP whatever is
// configured, because they are not about a token.
var overHTTP = map[string]int{
	errUpgrade.Code:            http.StatusUpgradeRequired,
	errShutdown.Code:           http.StatusServiceUnavailable,
	ErrOrigin.Code:             http.StatusForbidden,
	paseto.ErrUnavailable.Code: http.StatusServiceUnavailable,
}

// refuse answers a handshake that is not let in.
func (g *Guard) refuse(w http.ResponseWriter, r *http.Request, in route, req paseto.Requirement, err error) {
	refusal, known := errors.AsType[*paseto.Error](err)
	if !known {
		refusal = &paseto.Error{Code: "server_error"}
	}
	status, always := overHTTP[refusal.Code]
	if !always {
		status = httpauth.Status(err)
	}
	log := g.log.InfoContext
	if status >= http.StatusInternalServerError {
		log = g.log.ErrorContext
	}
	log(r.Context(), "handshake refused", "code", refusal.Code, "err", err, "path", r.URL.Path, "remote", r.RemoteAddr,
		"origin", r.Header.Get("Origin"))

	switch {
	case always:
		if status == http.StatusUpgradeRequired {
			w.Header().Set("Upgrade", "websocket")
			w.Header().Set("Connection", "Upgrade")
		}
		httpauth.WriteProblem(w, status, refusal)
	case !known || g.cfg.Reject == RejectHTTP:
		httpauth.Refuse(w, err, httpauth.Challenge{Scheme: in.scheme, Realm: g.cfg.Realm, Scopes: req.Scopes})
	default:
		g.refuseByClose(w, r, in, refusal)
	}
}

// refuseByClose completes the handshake only to close with the reason. No
// application code runs on the connection and nothing that the client sends is
// looked at.
func (g *Guard) refuseByClose(w http.ResponseWriter, r *http.Request, in route, refusal *paseto.Error) {
	if !g.conns.reserve() {
		httpauth.WriteProblem(w, http.StatusServiceUnavailable, errShutdown)
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

// refuseHandshake answers what gorilla/websocket finds wrong with a handshake.
func refuseHandshake(w http.ResponseWriter, _ *http.Request, status int, reason error) {
	w.Header().Set("Sec-WebSocket-Version", "13")
	if status == http.StatusMethodNotAllowed {
		w.Header().Set("Allow", http.MethodGet)
	}
	httpauth.WriteProblem(w, status, &paseto.Error{Code: errHandshake.Code, Message: errHandshake.Message, Cause: reason})
}

// hijacker lets gorilla/websocket take the connection over through the wrappers
// that middleware puts around a ResponseWriter.
type hijacker struct{ http.ResponseWriter }

func (h hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return http.NewResponseController(h.ResponseWriter).Hijack()
}
