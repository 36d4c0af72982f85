package httpauth

import (
	"net/http"
	"net/netip"

	"github.com/pasetokit/pasetokit/paseto"
)

// Client returns the addresses that limits count together with that of the client.
func (w *Web) Client(r *http.Request) netip.Prefix { return w.client(r) }

// DeriveFunc is what computes a hash.
type DeriveFunc = deriveFunc

// CheckPasswordWith is [CheckPassword] with another function than Argon2id.
func CheckPasswordWith(derive DeriveFunc, hash string, password paseto.Secret) error {
	return checkPassword(hash, password, derive)
}

// Queued returns how many logins wait for a place.
func (w *Web) Queued() int {
	w.places.mu.Lock()
	defer w.places.mu.Unlock()
	return len(w.places.queue)
}
