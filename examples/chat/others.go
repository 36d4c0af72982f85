package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"

	"github.com/pasetokit/pasetokit/config"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
	"github.com/pasetokit/pasetokit/wsauth"
)

// closeLoggedOut closes the tabs of a login that another of its tabs has logged
// out. It is a code for private use (RFC 6455, section 7.4.2).
const closeLoggedOut wsauth.CloseCode = 4000

const loggedOutReason = "Logged out by another tab"

// others is what [logoutOthers] answers.
type others struct {
	// Connections were the caller's, besides the one that it keeps.
	Connections int `json:"connections"`
	// Logins are how many of them had another login, which is ended.
	Logins int `json:"logins"`
}

// logoutOthers ends what else its caller has open: the body is JSON whose member
// connection names the connection that stays, as the frame room did. Connections of
// the same login, such as a browser's tabs that share cookies, are closed, and the
// login goes on; other logins that have a connection are revoked, which closes all
// that they have, anywhere.
//
// It knows the connections of this server alone, and no login without one:
// [httpauth.Web.LogoutEverywhere] reaches all.
func logoutOthers(kit *config.Kit) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var body struct {
			Connection string `json:"connection"`
		}
		err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<10)).Decode(&body)
		switch {
		case err != nil && !errors.Is(err, io.EOF): // an empty one names no connection
			httpauth.WriteProblem(w, http.StatusBadRequest, errOthersBody)
			return
		case !kit.Authorizer.CanRevoke():
			httpauth.WriteProblem(w, http.StatusNotImplemented, paseto.ErrRevocation)
			return
		}
		answer, err := endOthers(r.Context(), kit, paseto.FromContext(r.Context()), body.Connection)
		if err != nil {
			httpauth.Refuse(w, err, httpauth.Challenge{})
			return
		}
		respond(w, answer)
	}
}

var errOthersBody = &paseto.Error{Code: "body_invalid", Message: `Bad request body. Expected {"connection":"…"}`}

// endOthers ends the other connections of a subject and their logins. What it cannot
// revoke stays open, and makes the error.
func endOthers(ctx context.Context, kit *config.Kit, mine *paseto.Claims, connection string) (others, error) {
	var answer others
	var errs []error
	ended := make(map[string]bool)
	for conn := range kit.Guard.ConnectionsOf(mine.Subject) {
		claims := conn.Claims()
		if connection != "" && visitOf(conn.Context()).connection == connection { //nolint:contextcheck // The connection's is meant.
			continue
		}
		answer.Connections++
		switch login := loginOf(claims); {
		case login == loginOf(mine):
			conn.Close(closeLoggedOut, loggedOutReason)
		case !ended[login]:
			ended[login] = true
			errs = append(errs, revokeLogin(ctx, kit.Authorizer, claims)) // which closes all that it has
		}
	}
	answer.Logins = len(ended)
	return answer, errors.Join(errs...)
}

// loginOf names the login that a token descends from: its session, or itself if it
// has none.
func loginOf(c *paseto.Claims) string { return cmp.Or(c.Session, c.ID) }

func revokeLogin(ctx context.Context, auth *paseto.Authorizer, c *paseto.Claims) error {
	if c.Session == "" {
		return auth.Revoke(ctx, c)
	}
	return auth.RevokeSession(ctx, c.Session)
}
