package httpauth

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"github.com/pasetokit/pasetokit/paseto"
)

// publishedKey is one key as [Web.Keys] publishes it.
type publishedKey struct {
	KeyID    string     `json:"kid"`
	PASERK   string     `json:"paserk"`
	NotAfter *time.Time `json:"not_after,omitempty"`
}

// Keys returns the endpoint that publishes the keys with which others verify
// tokens: the public halves of all keys in force, those that verify alone and
// retired ones included. Local keys and secret halves are never published. The
// answer to GET is a JSON object that caches may keep for five minutes:
//
//	{"keys":[{"kid":"k4.pid.…","paserk":"k4.public.…","not_after":"2030-01-31T12:00:00Z"}]}
//
// where not_after is the time at which a retired key ends. [RemoteKeys] reads
// it. Serve it over TLS: whoever can change the answer on its way chooses whose
// tokens are believed.
//
// Put a new key behind the old one first, and make it the one that issues when
// every verifier has had the time to fetch it.
func (w *Web) Keys() http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			rw.Header().Set("Allow", "GET, HEAD")
			w.refuse(rw, r, &paseto.Error{Code: errMethod, Message: "Expected method GET"})
			return
		}
		body, err := json.Marshal(map[string][]publishedKey{"keys": publish(w.auth.Keys(), w.auth.Now())})
		if err != nil { // a year that RFC 3339 cannot write
			w.refuse(rw, r, err)
			return
		}
		digest := sha256.Sum256(body)
		h := rw.Header()
		h.Set("Content-Type", "application/json")
		h.Set("Cache-Control", "public, max-age=300")
		h.Set("ETag", `"`+base64.RawURLEncoding.EncodeToString(digest[:])+`"`)
		h.Set("X-Content-Type-Options", "nosniff")
		http.ServeContent(rw, r, "", time.Time{}, bytes.NewReader(body))
	})
}

// publish returns the public halves of the keys that open tokens now, each once.
func publish(keys []paseto.Key, now time.Time) []publishedKey {
	published := []publishedKey{}
	for _, key := range keys {
		half, err := key.PublicKey()
		end := key.NotAfter()
		if err != nil || !end.IsZero() && !now.Before(end) {
			continue
		}
		p := publishedKey{KeyID: half.KeyID(), PASERK: half.Export()}
		if !end.IsZero() {
			end = end.UTC()
			p.NotAfter = &end
		}
		// A key pair and its public half may both be there, the longer one counts.
		i := slices.IndexFunc(published, func(other publishedKey) bool { return other.KeyID == p.KeyID })
		switch {
		case i < 0:
			published = append(published, p)
		case published[i].NotAfter != nil && (p.NotAfter == nil || p.NotAfter.After(*published[i].NotAfter)):
			published[i] = p
		}
	}
	return published
}
