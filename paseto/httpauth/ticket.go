package httpauth

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"
	"unicode/utf8"

	"github.com/pasetokit/pasetokit/internal/origin"
	"github.com/pasetokit/pasetokit/internal/urlpath"
	"github.com/pasetokit/pasetokit/paseto"
)

// TicketOption binds the tickets of an endpoint.
type TicketOption func(*ticketBinding)

type ticketBinding struct {
	paths  []string // at most one
	origin bool
}

// WithTicketPath binds every ticket of the endpoint to a path, whatever the request
// asks for: that of the URL which clients open, see [paseto.TicketGrant].
func WithTicketPath(path string) TicketOption {
	return func(b *ticketBinding) { b.paths = []string{path} }
}

// WithTicketOrigin binds every ticket of the endpoint to the origin of the page that
// asks for it. A request without an Origin header is then refused.
func WithTicketOrigin() TicketOption {
	return func(b *ticketBinding) { b.origin = true }
}

// Ticket is the body that [Web.Ticket] answers with, for clients to decode.
type Ticket struct {
	// Ticket is the ticket: a secret until it is used.
	Ticket paseto.Secret `json:"ticket"`
	// ExpiresIn is its lifetime in seconds.
	ExpiresIn int64 `json:"expires_in"`
	// Path and Origin are what it is bound to, absent where it is not.
	Path   string `json:"path,omitempty"`
	Origin string `json:"origin,omitempty"`
}

// sentTicket is a Ticket as it is sent: JSON takes Text for its member ticket.
type sentTicket struct {
	Text string `json:"ticket"`
	Ticket
}

// Ticket returns the endpoint that gives a ticket for the access token of the
// request: POST, answered with [Ticket]. The token comes in the configured
// locations. The ticket opens one WebSocket, once, within its lifetime; the
// connection then lives as long as the access token. See
// [paseto.Authorizer.IssueTicket]. [Config.TicketsPerMinute] bounds how many there
// are; a request that is refused for its token or body does not count.
//
// The body, if there is one, is a JSON object or a form; its member path binds
// the ticket to the path of the URL that the page will open, as pathname of a
// JavaScript URL gives it, and origin to the pages of one origin, as
// location.origin gives it.
//
// A [WithTicketPath] that is not valid is logged here, and every request is
// then refused with status 500.
//
// An Authorizer without a denylist, or without a key that issues tokens, cannot give
// tickets. The endpoint then answers 501, and a warning is logged here.
func (w *Web) Ticket(opts ...TicketOption) http.Handler {
	var binding ticketBinding
	for _, opt := range opts {
		if opt != nil {
			opt(&binding)
		}
	}
	var broken error
	for _, path := range binding.paths {
		if err := checkPath(path); err != nil {
			broken = fmt.Errorf("httpauth: WithTicketPath %.128q: %w", path, err)
			w.log.Error("route refuses every request", "err", broken)
		}
	}
	return w.issuing("ticket", errNoTickets, func(rw http.ResponseWriter, r *http.Request) {
		if broken != nil {
			w.refuse(rw, r, broken)
			return
		}
		found, err := w.findTrusted(rw, r, w.route, false)
		if err != nil {
			w.refuse(rw, r, err)
			return
		}
		req := w.requirement(r, found.token)
		claims, err := w.auth.Verify(r.Context(), found.token, req)
		if err != nil {
			w.refuse(rw, r, err)
			return
		}
		grant, err := w.ticketGrant(rw, r, binding)
		grant.Implicit = req.Implicit
		if err != nil {
			w.refuse(rw, r, err)
			return
		}
		if err := w.tickets.take(claims); err != nil {
			w.refuse(rw, r, err)
			return
		}
		ticket, err := w.auth.IssueTicket(claims, grant)
		if errors.Is(err, paseto.ErrGrant) { // all of it comes from the client
			err = &paseto.Error{
				Code:    errBody,
				Message: "Bad ticket request. The access token, path and origin are too much for one ticket",
				Cause:   err,
			}
		}
		if err != nil {
			w.refuse(rw, r, ifUnable(errNoTickets, err))
			return
		}
		rw.Header().Set("Content-Type", "application/json")
		rw.Header().Set("Cache-Control", "no-store")
		_ = json.NewEncoder(rw).Encode(sentTicket{ // a client that has gone away is no failure
			Text: ticket.Token.Reveal(),
			Ticket: Ticket{
				ExpiresIn: int64(ticket.Claims.ExpiresAt.Sub(ticket.Claims.IssuedAt) / time.Second),
				Path:      grant.Path,
				Origin:    grant.Origin,
			},
		})
	})
}

// ticketGrant returns what the endpoint and the request bind a ticket to.
func (w *Web) ticketGrant(rw http.ResponseWriter, r *http.Request, binding ticketBinding) (paseto.TicketGrant, error) {
	fields, err := w.fields(rw, r, "path", "origin")
	if err != nil {
		return paseto.TicketGrant{}, err
	}
	bad := func(message string) (paseto.TicketGrant, error) {
		return paseto.TicketGrant{}, &paseto.Error{Code: errBody, Message: "Bad ticket request. " + message}
	}
	grant := paseto.TicketGrant{Path: fields["path"], Origin: fields["origin"]}
	if _, err := url.PathUnescape(grant.Path); err != nil {
		return bad("path is not escaped correctly; write a percent sign as %25")
	}
	if _, asked := fields["path"]; asked && checkPath(grant.Path) != nil {
		return bad("path must begin with /, have no query, and at most 1024 bytes")
	}
	if _, asked := fields["origin"]; asked && !isOrigin(grant.Origin) {
		return bad("origin must be scheme://host or scheme://host:port, in lower case, without a default port")
	}
	if len(binding.paths) > 0 {
		if grant.Path != "" && !urlpath.Same(grant.Path, binding.paths[0]) {
			return bad("tickets are given for another path here")
		}
		grant.Path = binding.paths[0]
	}
	if binding.origin {
		page := r.Header.Values("Origin")
		switch {
		case len(page) != 1 || !isOrigin(page[0]):
			return bad("expected an Origin header")
		case grant.Origin != "" && grant.Origin != page[0]:
			return bad("origin is not the one of the page")
		}
		grant.Origin = page[0]
	}
	return grant, nil
}

// maxBinding bounds what a client can make a ticket longer by, in bytes.
const maxBinding = 1024

// checkPath reports why s cannot be the path that a ticket is bound to.
func checkPath(s string) error {
	normal, err := urlpath.Normal(s)
	switch {
	case err != nil:
		return err
	case len(normal) > maxBinding:
		return fmt.Errorf("escaped, it has %d bytes; expected at most %d", len(normal), maxBinding)
	case !utf8.ValidString(s):
		return errors.New("not valid UTF-8; escape the bytes that are not")
	}
	return nil
}

// isOrigin reports whether s is a web origin as browsers send it.
func isOrigin(s string) bool { return len(s) <= maxBinding && origin.IsSerialized(s) }
