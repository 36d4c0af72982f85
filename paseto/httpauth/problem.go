package httpauth

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/pasetokit/pasetokit/internal/locate"
	"github.com/pasetokit/pasetokit/internal/messages"
	"github.com/pasetokit/pasetokit/internal/refusal"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/live"
)

// Refusals that only HTTP knows. Their codes are stable, as those of package
// paseto are.
const (
	// ErrCredentials is returned by the function given to [Web.Login] for a
	// user name and password that do not match.
	ErrCredentials paseto.Code = "credentials_invalid"
	// ErrCrossOrigin: a page of another origin had the browser send a request
	// that would authenticate by cookie.
	ErrCrossOrigin paseto.Code = "cross_origin"

	// ErrServer is what a client is told of an error that is not the client's
	// fault. The log has the cause.
	ErrServer paseto.Code = "server_error"

	errBody         paseto.Code = "body_invalid"
	errBodyTooLarge paseto.Code = "body_too_large"
	errMedia        paseto.Code = "media_type_unsupported"
	errMethod       paseto.Code = "method_not_allowed"
	errGuesses      paseto.Code = "logins_limited"
	errBusy         paseto.Code = "logins_overloaded"
	errTickets      paseto.Code = "tickets_limited"
	errNoIssuing    paseto.Code = "issuing_unsupported"
	errNoTickets    paseto.Code = "tickets_unsupported"
)

// answer is how a refusal looks over HTTP: the status, and the error code of
// the challenge after RFC 6750, section 3.1, and RFC 9470.
type answer struct {
	status    int
	challenge string
}

const (
	invalidRequest = "invalid_request"
	invalidToken   = "invalid_token"
)

// answers is the one place where codes become statuses. Any token that is not
// valid here is 401 invalid_token; a code that is not listed comes from a
// Requirement.Check or a login function and is 403.
var answers = map[paseto.Code]answer{
	paseto.ErrNoToken:             {http.StatusUnauthorized, ""},
	paseto.ErrMalformedCredential: {http.StatusBadRequest, invalidRequest},
	paseto.ErrAmbiguousCredential: {http.StatusBadRequest, invalidRequest},
	paseto.ErrLocation:            {http.StatusInternalServerError, ""},

	paseto.ErrMalformed:   {http.StatusUnauthorized, invalidToken},
	paseto.ErrVersion:     {http.StatusUnauthorized, invalidToken},
	paseto.ErrPurpose:     {http.StatusUnauthorized, invalidToken},
	paseto.ErrBase64:      {http.StatusUnauthorized, invalidToken},
	paseto.ErrDecrypt:     {http.StatusUnauthorized, invalidToken},
	paseto.ErrSignature:   {http.StatusUnauthorized, invalidToken},
	paseto.ErrClaims:      {http.StatusUnauthorized, invalidToken},
	paseto.ErrExpired:     {http.StatusUnauthorized, invalidToken},
	paseto.ErrNoExpiry:    {http.StatusUnauthorized, invalidToken},
	paseto.ErrNotYetValid: {http.StatusUnauthorized, invalidToken},
	paseto.ErrNoIssuer:    {http.StatusUnauthorized, invalidToken},
	paseto.ErrIssuer:      {http.StatusUnauthorized, invalidToken},
	paseto.ErrAudience:    {http.StatusUnauthorized, invalidToken},
	paseto.ErrType:        {http.StatusUnauthorized, invalidToken},
	paseto.ErrRevoked:     {http.StatusUnauthorized, invalidToken},
	paseto.ErrReused:      {http.StatusUnauthorized, invalidToken},
	paseto.ErrRefreshes:   {http.StatusTooManyRequests, ""},

	paseto.ErrKeyWithdrawn: {http.StatusUnauthorized, invalidToken},

	paseto.ErrTicket:      {http.StatusUnauthorized, invalidToken},
	paseto.ErrTicketUsed:  {http.StatusUnauthorized, invalidToken},
	paseto.ErrNotFresh:    {http.StatusUnauthorized, "insufficient_user_authentication"},
	paseto.ErrScope:       {http.StatusForbidden, "insufficient_scope"},
	paseto.ErrForbidden:   {http.StatusForbidden, ""},
	paseto.ErrUnavailable: {http.StatusServiceUnavailable, ""},

	paseto.ErrRevocation:      {http.StatusNotImplemented, ""},
	paseto.ErrKeysUnavailable: {http.StatusServiceUnavailable, ""},

	live.ErrShutdown:     {http.StatusServiceUnavailable, ""},
	live.ErrOverload:     {http.StatusServiceUnavailable, ""},
	live.ErrLifetime:     {http.StatusServiceUnavailable, ""},
	live.ErrClosed:       {http.StatusServiceUnavailable, ""},
	live.ErrTooMany:      {http.StatusTooManyRequests, ""},
	live.ErrRenewals:     {http.StatusTooManyRequests, ""},
	live.ErrSlow:         {http.StatusRequestTimeout, ""},
	live.ErrReplaced:     {http.StatusConflict, ""},
	live.ErrOlder:        {http.StatusConflict, ""},
	live.ErrOtherSubject: {http.StatusForbidden, ""},
	live.ErrPanic:        {http.StatusInternalServerError, ""},

	ErrCredentials:  {http.StatusUnauthorized, ""},
	ErrCrossOrigin:  {http.StatusForbidden, ""},
	errBody:         {http.StatusBadRequest, ""},
	errBodyTooLarge: {http.StatusRequestEntityTooLarge, ""},
	errMedia:        {http.StatusUnsupportedMediaType, ""},
	errMethod:       {http.StatusMethodNotAllowed, ""},
	errGuesses:      {http.StatusTooManyRequests, ""},
	errBusy:         {http.StatusServiceUnavailable, ""},
	errTickets:      {http.StatusTooManyRequests, ""},
	errNoIssuing:    {http.StatusNotImplemented, ""},
	errNoTickets:    {http.StatusNotImplemented, ""},
	ErrServer:       {http.StatusInternalServerError, ""},
}

// retryAfter is what a client is told to wait while the denylist is away.
const retryAfter = 5 * time.Second

// Challenge is what a WWW-Authenticate header says besides the refusal.
type Challenge struct {
	// Scheme is the authentication scheme. Default Bearer.
	Scheme string
	// Realm names the protected area. Default "api".
	Realm string
	// Scopes are the scopes that the route requires, told where one is
	// missing.
	Scopes []string
}

// Problem is the body of a refusal, of media type application/problem+json
// (RFC 9457).
type Problem struct {
	// Type is always about:blank: the status and Code say it all.
	Type string `json:"type"`
	// Title is the text of the status.
	Title string `json:"title"`
	// Status is the HTTP status.
	Status int `json:"status"`
	// Detail is the refusal's message.
	Detail string `json:"detail"`
	// Code is the refusal's code.
	Code paseto.Code `json:"code"`
}

// Refuse answers a request with a refusal. An err that is not a
// [*paseto.Error] is a failure of the server: the client learns no more than
// that, and the caller logs it.
func Refuse(w http.ResponseWriter, err error, c Challenge) {
	told, status, challenge := describe(err)
	if status == http.StatusUnauthorized || challenge != "" {
		w.Header().Set("WWW-Authenticate", c.header(challenge, told.Message))
	}
	WriteProblem(w, status, told)
}

// WriteProblem answers a request with a [Problem] of the given status. The client
// is told when to try again: after the refusal's RetryAfter, or in a few seconds
// with a status of 503. A status of 429 or 503 ends the connection too, so that
// clients that are refused for load cost no memory: over HTTP/1.1 at once, over
// HTTP/2 when the other requests on it are answered.
func WriteProblem(w http.ResponseWriter, status int, err error) {
	told := Refusal(err)
	h := w.Header()
	h.Set("Content-Type", "application/problem+json")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	wait := told.RetryAfter
	if wait == 0 && status == http.StatusServiceUnavailable {
		wait = retryAfter
	}
	if wait > 0 { // in whole seconds, and never too early
		h.Set("Retry-After", strconv.FormatInt(int64(math.Ceil(wait.Seconds())), 10))
	}
	if status == http.StatusServiceUnavailable || status == http.StatusTooManyRequests {
		h.Set("Connection", "close") // which net/http makes a GOAWAY in HTTP/2
	}
	w.WriteHeader(status)
	body := json.NewEncoder(w)
	body.SetEscapeHTML(false) // it is no HTML, and messages have angle brackets
	// A client that has gone away is no concern of the answer.
	_ = body.Encode(Problem{
		Type:   "about:blank",
		Title:  http.StatusText(status),
		Status: status,
		Detail: told.Message,
		Code:   told.Code,
	})
}

// Status returns the HTTP status that err is answered with.
func Status(err error) int {
	_, status, _ := describe(err)
	return status
}

// Refusal returns what a client is told of err: its [*paseto.Error], or
// [ErrServer] where there is none. A context that has ended counts as
// [paseto.ErrUnavailable].
func Refusal(err error) *paseto.Error {
	told, _, _ := describe(err)
	return told
}

func describe(err error) (told *paseto.Error, status int, challenge string) {
	told, ok := errors.AsType[*paseto.Error](err)
	switch {
	case ok && told != nil:
		if told.Message == "" {
			worded := *told
			worded.Message = told.Code.Message()
			told = &worded
		}
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		told = refusal.New(paseto.ErrUnavailable)
	default:
		told = refusal.New(ErrServer)
	}
	if a, listed := answers[told.Code]; listed {
		return told, a.status, a.challenge
	}
	if status, added := messages.StatusOf(string(told.Code)); added { // of package wsauth
		return told, status, ""
	}
	return told, http.StatusForbidden, ""
}

// header returns the challenge after RFC 6750, section 3: without an error
// code for a request that brought no token.
func (c Challenge) header(code, message string) string {
	var b strings.Builder
	b.WriteString(cmp.Or(c.Scheme, "Bearer"))
	b.WriteString(" realm=" + quoted(cmp.Or(c.Realm, "api")))
	if code != "" {
		b.WriteString(", error=" + quoted(code))
		b.WriteString(", error_description=" + quoted(message))
	}
	if code == "insufficient_scope" && len(c.Scopes) > 0 {
		b.WriteString(", scope=" + quoted(strings.Join(c.Scopes, " ")))
	}
	return b.String()
}

// quoted returns s as a quoted-string without the characters that RFC 6750
// keeps out of its parameters.
func quoted(s string) string {
	return `"` + strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' || r == '"' || r == '\\' {
			return -1
		}
		return r
	}, s) + `"`
}

// refuse logs a refusal and answers with it.
func (w *Web) refuse(rw http.ResponseWriter, r *http.Request, err error) {
	w.refuseWith(rw, r, err, Challenge{Scheme: locate.Scheme(w.cfg.HeaderScheme), Realm: w.cfg.Realm})
}

// refuseWith is refuse with a challenge of the route's own. What is the
// server's fault is logged louder than what is the client's; that the client
// has gone away is its own.
func (w *Web) refuseWith(rw http.ResponseWriter, r *http.Request, err error, c Challenge) {
	told, status, _ := describe(err)
	level := slog.LevelInfo
	unable := status == http.StatusInternalServerError || status == http.StatusServiceUnavailable
	if unable && r.Context().Err() == nil || errors.Is(err, ErrHash) {
		level = slog.LevelError
	}
	w.clientLog.Write(r.Context(), w.client(r), level, "request refused", "code", string(told.Code), "err", err, "status", status,
		"method", r.Method, "path", r.URL.Path, "remote", r.RemoteAddr)
	Refuse(rw, err, c)
}
