package httpauth

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/pasetokit/pasetokit/internal/locate"
	"github.com/pasetokit/pasetokit/internal/refusal"
	"github.com/pasetokit/pasetokit/internal/strictjson"
	"github.com/pasetokit/pasetokit/paseto"
)

// Tokens is the body that Login and Refresh answer with (RFC 6749, section
// 5.1), for clients to decode.
type Tokens struct {
	// AccessToken and RefreshToken are the tokens, absent where they are only
	// set as cookies.
	AccessToken  paseto.Secret `json:"access_token,omitzero"`
	RefreshToken paseto.Secret `json:"refresh_token,omitzero"`
	// TokenType is the scheme to send the access token with.
	TokenType string `json:"token_type"`
	// ExpiresIn is the remaining life of the access token in seconds, absent
	// if it does not expire.
	ExpiresIn int64 `json:"expires_in,omitempty"`
	// Scope is the access token's scope, absent if it has none.
	Scope string `json:"scope,omitempty"`
}

// sentTokens is Tokens as they are sent: JSON takes its own members for those of
// the same name in Tokens.
type sentTokens struct {
	AccessToken  string `json:"access_token,omitempty"`
	RefreshToken string `json:"refresh_token,omitempty"`
	Tokens
}

// sendTokens answers with a pair, in the body, as cookies or both. After an error,
// which says that the cookies are too large, nothing has been sent.
func (w *Web) sendTokens(rw http.ResponseWriter, pair paseto.Pair, inBody, asCookies bool) error {
	if asCookies {
		if err := w.setCookies(rw, pair); err != nil {
			return err
		}
	}
	claims := pair.Access.Claims
	answer := sentTokens{Tokens: Tokens{
		TokenType: cmp.Or(locate.Scheme(w.cfg.HeaderScheme), "Bearer"),
		Scope:     strings.Join(claims.Scopes, " "),
	}}
	if !claims.ExpiresAt.IsZero() {
		// A pair that is given once more may be about to expire, and 0 would
		// stand for a token that does not.
		answer.ExpiresIn = max(1, int64(claims.ExpiresAt.Sub(w.auth.Now().Truncate(time.Second))/time.Second))
	}
	if inBody {
		answer.AccessToken, answer.RefreshToken = pair.Access.Token.Reveal(), pair.Refresh.Token.Reveal()
	}
	rw.Header().Set("Content-Type", "application/json")
	rw.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(rw).Encode(answer) // a client that has gone away is no failure
	return nil
}

// post returns an endpoint that answers POST requests alone.
func (w *Web) post(endpoint func(http.ResponseWriter, *http.Request)) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			rw.Header().Set("Allow", http.MethodPost)
			w.refuse(rw, r, refusal.New(errMethod))
			return
		}
		endpoint(rw, r)
	})
}

// errJSONAsForm: curl calls a form all that it sends, unless it is told what it is.
var errJSONAsForm = &paseto.Error{Code: errBody, Message: "Bad request body. For JSON, send Content-Type: application/json"}

// isObject reports whether a body begins as a JSON object does.
func isObject(body []byte) bool { return bytes.HasPrefix(bytes.TrimSpace(body), []byte("{")) }

// fields returns the members of a JSON object or the parameters of a form that
// are strings. Others are left out, unless they are among the names that must be
// strings; a name given twice is refused. The errors have no cause, since that
// might quote the password.
func (w *Web) fields(rw http.ResponseWriter, r *http.Request, names ...string) (map[string]string, error) {
	body, err := w.body(rw, r)
	if err != nil {
		return nil, err
	}
	fields := make(map[string]string)
	if len(body) == 0 {
		return fields, nil
	}
	switch mediaType(r) {
	case "application/json":
		err = strictjson.Object(body, func(name string, value json.RawMessage) error {
			var s *string // nil after null
			if json.Unmarshal(value, &s) == nil && s != nil {
				fields[name] = *s
			} else if slices.Contains(names, name) {
				return &paseto.Error{Code: errBody, Message: "Bad request body. " + name + " must be a string"}
			}
			return nil
		})
		if refused, ok := errors.AsType[*paseto.Error](err); ok && refused != nil {
			return nil, refused
		}
		if err != nil {
			return nil, &paseto.Error{Code: errBody, Message: "Bad request body. Expected a JSON object"}
		}
	case "application/x-www-form-urlencoded":
		if isObject(body) {
			return nil, errJSONAsForm
		}
		form, err := url.ParseQuery(string(body))
		if err != nil {
			return nil, &paseto.Error{Code: errBody, Message: "Bad request body. Expected a form"}
		}
		for name, values := range form {
			if len(values) > 1 {
				return nil, &paseto.Error{Code: errBody, Message: "Bad request body. A form field is given twice"}
			}
			if !utf8.ValidString(values[0]) {
				return nil, &paseto.Error{Code: errBody, Message: "Bad request body. A form field is not valid UTF-8"}
			}
			fields[name] = values[0]
		}
	default:
		return nil, refusal.New(errMedia)
	}
	return fields, nil
}
