package httpauth

import (
	"encoding/json"
	"net/http"
	"time"
)

// Renewal is the body that [Web.Renew] answers with, for clients to decode.
type Renewal struct {
	// Renewed is how many streams and WebSockets of the session have the newer token now.
	Renewed int `json:"renewed"`
	// ExpiresAt is when the first of them will end, and ExpiresIn the same in whole
	// seconds from now, for clients whose clock is wrong. Both are absent where none was
	// renewed, and where none has an end.
	ExpiresAt *time.Time `json:"expires_at,omitempty"`
	ExpiresIn *int64     `json:"expires_in,omitempty"`
}

// Renew returns the endpoint that renews what the caller's session has open on this server,
// streams and WebSockets: POST, answered with a [Renewal]. The access token comes in the
// header or a cookie, and replaces that of each open right of its subject and session; see
// [live.Right.Renew] for what it must be. A client calls it after a refresh, so that what it
// has open lasts on.
//
// What the session has open on other servers is not renewed. It ends with the token that
// opened it, and the client connects anew. The same holds for what the token does not suffice
// for, such as a route that asks for a fresh one; it is refused only where nothing was renewed
// for such a reason.
func (w *Web) Renew() http.Handler {
	in := w.streamRoute()
	return w.post(func(rw http.ResponseWriter, r *http.Request) {
		found, err := w.findTrusted(rw, r, in, false)
		if err != nil {
			w.refuse(rw, r, err)
			return
		}
		renewed, err := w.keeper.RenewSession(r.Context(), found.token, w.requirement(r, found.token))
		if err != nil && len(renewed) == 0 {
			w.refuse(rw, r, err)
			return
		}
		answer := Renewal{Renewed: len(renewed)}
		var first time.Time
		for _, right := range renewed {
			if at := right.Deadline(); !at.IsZero() && (first.IsZero() || at.Before(first)) {
				first = at.UTC()
			}
		}
		if !first.IsZero() {
			in := int64(max(0, first.Sub(w.auth.Now())) / time.Second)
			answer.ExpiresAt, answer.ExpiresIn = &first, &in
		}
		rw.Header().Set("Content-Type", "application/json")
		rw.Header().Set("Cache-Control", "no-store")
		_ = json.NewEncoder(rw).Encode(answer) // a client that has gone away is no failure
	})
}
