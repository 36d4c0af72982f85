// Package locate finds the token that a request carries. Each function looks at
// one location and returns an empty token where there is none; what carries a
// token twice or in a form that it should not have is an error, never a guess.
package locate

import (
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/textproto"
	"net/url"
	"regexp"
	"strings"

	"github.com/pasetokit/pasetokit/internal/refusal"
	"github.com/pasetokit/pasetokit/internal/strictjson"
	"github.com/pasetokit/pasetokit/paseto"
)

// Header looks at the header called name, whose value is the scheme, compared
// without regard to case, spaces and the token; with an empty scheme it is the bare
// token. A value of another scheme is not ours, see [One].
func Header(h http.Header, name, scheme string) (string, error) {
	values := h.Values(name)
	token, err := single(values, scheme)
	if errors.Is(err, errForm) && scheme != "" && isOtherScheme(values[0], scheme) {
		refused := malformed(name+" header", scheme)
		refused.Cause = errOtherScheme
		return "", refused
	}
	return token, describe(err, name+" header", scheme)
}

// errOtherScheme is the cause of the refusal for a header of another scheme.
var errOtherScheme = errors.New("it is of another scheme")

// isOtherScheme reports whether the value of a header is a credential of another
// scheme than ours (RFC 9110, section 11.4). A token that has no scheme before it is
// not, nor one with no space between, nor a value in which ours stands behind a comma: a
// proxy has joined two headers.
func isOtherScheme(value, ours string) bool {
	scheme, _, _ := strings.Cut(value, " ")
	if !IsToken(scheme) || bareToken.MatchString(scheme) {
		return false
	}
	for part := range strings.SplitSeq(value, ",") {
		// Whatever stands around it is wrong, and makes the part no less ours.
		words := strings.FieldsFunc(part, func(r rune) bool { return !isTokenRune(r) })
		if len(words) > 0 && strings.EqualFold(words[0], ours) {
			return false
		}
	}
	return true
}

// bareToken matches a PASETO, as it is, and the beginning of one in base64.
var bareToken = regexp.MustCompile(`v\d\.|^dj[AEIMQUYcgk]u`)

// Cookie looks at the cookie called name.
func Cookie(h http.Header, name string) (string, error) {
	token, err := single(cookieValues(h, name), "")
	return token, describe(err, name+" cookie", "")
}

func cookieValues(h http.Header, name string) (values []string) {
	for _, line := range h.Values("Cookie") {
		for pair := range strings.SplitSeq(line, ";") {
			// Trimmed of space and tab alone, as net/http does: a name with any
			// other space before it is another name, which browsers let other
			// hosts of the domain set.
			key, value, _ := strings.Cut(textproto.TrimString(pair), "=")
			if textproto.TrimString(key) == name {
				values = append(values, value)
			}
		}
	}
	return values
}

// Cookies returns the token of every cookie called name, or an error for one that has
// none.
func Cookies(h http.Header, name string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for _, value := range cookieValues(h, name) {
			token, err := single([]string{value}, "")
			if !yield(token, describe(err, name+" cookie", "")) {
				return
			}
		}
	}
}

// Query looks at the parameter called key of a raw query, which must be
// well-formed as a whole. A prefix, if any, precedes the token as a scheme does
// in a header.
func Query(rawQuery, key, prefix string) (string, error) {
	values, err := url.ParseQuery(rawQuery)
	if err != nil {
		return "", malformed(key+" query param", prefix)
	}
	token, err := single(values[key], prefix)
	return token, describe(err, key+" query param", prefix)
}

// Ticket looks at the parameter called key of a raw query. Other parameters may
// be anything: where tickets are accepted by default, the query is not theirs.
func Ticket(rawQuery, key string) (string, error) {
	var values []string
	for pair := range strings.SplitSeq(rawQuery, "&") {
		name, value, _ := strings.Cut(pair, "=")
		if name, err := url.QueryUnescape(name); err != nil || name != key {
			continue
		}
		value, err := url.QueryUnescape(value)
		if err != nil || value == "" || strings.Contains(pair, ";") {
			return "", malformed(key+" query param", "")
		}
		values = append(values, value)
	}
	ticket, err := single(values, "")
	return ticket, describe(err, key+" query param", "")
}

// Form looks at the field called key of a form.
func Form(body []byte, key string) (string, error) {
	values, err := url.ParseQuery(string(body))
	if err != nil {
		return "", malformed(key+" form field", "")
	}
	token, err := single(values[key], "")
	return token, describe(err, key+" form field", "")
}

// Member looks at the member called key of a body that is a JSON object. A
// prefix, if any, precedes the token as a scheme does in a header.
func Member(body []byte, key, prefix string) (string, error) {
	var values []string
	err := strictjson.Object(body, func(name string, value json.RawMessage) error {
		if name == key {
			var s string
			if json.Unmarshal(value, &s) != nil {
				s = "" // not a token
			}
			values = append(values, s)
		}
		return nil
	})
	if err != nil {
		return "", &paseto.Error{
			Code:    paseto.ErrMalformedCredential,
			Message: "Bad request body. Expected a JSON object",
			Cause:   err,
		}
	}
	token, err := single(values, prefix)
	return token, describe(err, key+" header", prefix)
}

// Marker is the subprotocol that a client offers right before its token.
const Marker = "paseto.bearer"

// Subprotocol looks at the offered WebSocket subprotocols for the one that
// follows [Marker]. Others are the protocols that the client offers beside.
func Subprotocol(h http.Header) (token string, others []string, err error) {
	var offered []string
	for _, line := range h.Values("Sec-Websocket-Protocol") {
		for protocol := range strings.SplitSeq(line, ",") {
			offered = append(offered, textproto.TrimString(protocol))
		}
	}
	var tokens []string
	for i := 0; i < len(offered); i++ {
		if offered[i] != Marker {
			if IsToken(offered[i]) { // else no protocol; empty ones are lawful (RFC 9110, section 5.6.1)
				others = append(others, offered[i])
			}
			continue
		}
		i++
		if i == len(offered) {
			tokens = append(tokens, "")
			break
		}
		tokens = append(tokens, offered[i])
	}
	token, err = single(tokens, "")
	if err != nil {
		err = describe(err, "Sec-WebSocket-Protocol header", Marker+",")
	}
	return token, others, err
}

// One returns the only token among the locations' findings, each of which must be
// free of error. A header of another scheme is somebody else's: it is refused only
// where no location has a token and the token is not optional.
func One(optional bool, find ...func() (string, error)) (token string, index int, err error) {
	tokens, err := All(find...)
	if optional && IsOtherScheme(err) {
		err = nil
	}
	index = -1
	for i, found := range tokens {
		switch {
		case found == "":
		case index >= 0:
			return "", -1, refusal.New(paseto.ErrAmbiguousCredential)
		default:
			token, index = found, i
		}
	}
	return token, index, err
}

// All returns the locations' findings, each of which must be free of error, empty for a
// location without a token. A header of another scheme is an error only if no location
// has one.
func All(find ...func() (string, error)) (tokens []string, err error) {
	tokens = make([]string, len(find))
	var otherScheme error
	found := false
	for i, look := range find {
		tokens[i], err = look()
		switch {
		case IsOtherScheme(err):
			otherScheme = err
		case err != nil:
			return nil, err
		case tokens[i] != "":
			found = true
		}
	}
	if found {
		return tokens, nil
	}
	return nil, otherScheme
}

// IsOtherScheme reports whether err is the refusal of a header of another scheme.
func IsOtherScheme(err error) bool { return errors.Is(err, errOtherScheme) }

// IsToken reports whether s is a token of RFC 9110, section 5.6.2: what the
// names of headers, cookies, schemes and subprotocols are made of.
func IsToken(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return !isTokenRune(r) })
}

func isTokenRune(r rune) bool {
	return r > ' ' && r <= '~' && !strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r)
}

// IsScheme reports whether s can stand before a token: a token itself, or
// nothing.
func IsScheme(s string) bool { return s == "" || IsToken(s) }

// IsRealm reports whether a challenge can name s: printable ASCII without quotes
// and backslashes.
func IsRealm(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' || r == '"' || r == '\\' })
}

// errForm is turned by describe into the message for its location.
var errForm = errors.New("malformed")

// single returns the token of the only value, behind its prefix.
func single(values []string, prefix string) (string, error) {
	switch len(values) {
	case 0:
		return "", nil
	case 1:
	default:
		return "", refusal.New(paseto.ErrAmbiguousCredential)
	}
	token := values[0]
	if prefix != "" {
		scheme, rest, _ := strings.Cut(token, " ")
		if !strings.EqualFold(scheme, prefix) {
			return "", errForm
		}
		token = strings.TrimLeft(rest, " ") // RFC 9110, section 11.4: one space or more
	}
	// Tokens are visible ASCII; the comma is what proxies join repeated
	// headers with.
	if token == "" || strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' || r == ',' }) {
		return "", errForm
	}
	return token, nil
}

func describe(err error, where, prefix string) error {
	if errors.Is(err, errForm) {
		return malformed(where, prefix)
	}
	return err
}

func malformed(where, prefix string) *paseto.Error {
	if prefix != "" {
		prefix += " "
	}
	return &paseto.Error{
		Code:    paseto.ErrMalformedCredential,
		Message: fmt.Sprintf("Bad %s. Expected value '%s<PASETO>'", where, prefix),
	}
}
