package httpauth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"unicode/utf8"

	"github.com/pasetokit/pasetokit/paseto"
)

// Credentials is what a login brings, as a JSON object or a form with the
// members username and password.
type Credentials struct {
	// Username is 1 to 256 characters long.
	Username string `json:"username"`
	// Password is 1 to 1024 characters long.
	Password paseto.Secret `json:"password"`
}

// How long a user name and a password may be, in characters.
const (
	maxUsername = 256
	maxPassword = 1024
)

// LoginFunc checks credentials and says what tokens they buy. It returns
// [ErrCredentials] for a user name and password that do not match; a
// [*paseto.Error] with a code of its own is shown to the client with status 403;
// any other error is logged and answered with status 500.
//
// It should take as long for an unknown user as for a wrong password, or it tells
// which users exist: call [CheckPassword] for both, and return its error as it is.
type LoginFunc func(ctx context.Context, c Credentials) (paseto.Grant, error)

// Login returns the endpoint that exchanges credentials for a pair of tokens:
// POST, answered with [Tokens]. With [LocationCookie] among the locations it sets
// both cookies too; where that is the only location, the body contains no
// token. The access token is fresh, whatever the grant says.
//
// The other endpoints serve every token that Login issues, wrapped in base64 or
// not, and with an implicit assertion by [WithImplicit]. A grant whose tokens they
// would refuse, for example with another issuer than the required one, gives status
// 500, and the log names the cause.
//
// Logins that fail are slowed, and those under way bounded, over all endpoints of
// the Web; see [LoginLimits].
//
// Where no key issues tokens, Login, [Web.Refresh] and [Web.Ticket] answer 501, and log a
// warning when they are called.
func (w *Web) Login(check LoginFunc) http.Handler {
	return w.issuing("login", errNoIssuing, func(rw http.ResponseWriter, r *http.Request) {
		if w.cfg.usesCookies() {
			// Else another site could log its visitors in here as a user of
			// its own.
			if err := w.checkOrigin(r, LocationCookie); err != nil {
				w.refuse(rw, r, err)
				return
			}
		}
		credentials, err := w.credentials(rw, r)
		if err != nil {
			w.refuse(rw, r, err)
			return
		}
		if check == nil {
			w.refuse(rw, r, errors.New("httpauth: the login function is nil"))
			return
		}
		grant, err := w.logIn(r, check, credentials)
		if err != nil {
			w.refuse(rw, r, err)
			return
		}
		grant.Fresh = true
		if grant, err = w.complete(r, grant); err != nil {
			w.refuse(rw, r, err)
			return
		}
		pair, err := w.auth.IssuePair(grant)
		if err != nil {
			w.refuse(rw, r, ifUnable(errNoIssuing, err))
			return
		}
		w.SendPair(rw, r, pair)
	})
}

// logIn asks the login function, if the limits allow it. It gives back what it
// takes of them also where the function panics.
func (w *Web) logIn(r *http.Request, check LoginFunc, c Credentials) (paseto.Grant, error) {
	from := w.client(r)
	w.warnOfProxy(r, from)
	guess, err := w.guesses.begin(c.Username, from)
	if err != nil {
		return paseto.Grant{}, err
	}
	how := undecided
	defer func() { guess.end(how) }()
	leave, err := w.places.enter(r.Context(), network(from), guess.rank)
	if err != nil {
		return paseto.Grant{}, err
	}
	defer leave()
	grant, err := check(r.Context(), c)
	switch {
	case err == nil:
		how = succeeded
	case Status(err) < http.StatusInternalServerError:
		how = failed
	}
	return grant, err
}

// warnOfProxy logs once that logins seem to come through a proxy that is not
// trusted, so that all clients are taken for one: a proxy without an address of the
// public internet, for any client there can send X-Forwarded-For.
func (w *Web) warnOfProxy(r *http.Request, from netip.Prefix) {
	a := from.Addr()
	inside := !from.IsValid() || a.IsLoopback() || a.IsPrivate() || a.IsLinkLocalUnicast() || sharedAddresses.Contains(a)
	if len(w.cfg.TrustedProxies) == 0 && inside && r.Header.Get("X-Forwarded-For") != "" && !w.proxySeen.Swap(true) {
		w.log.WarnContext(r.Context(), "logins come through a proxy that is not trusted, and count as those of one client; "+
			"list it in TrustedProxies, by its address, or as unix if it connects through a Unix socket", "proxy", from)
	}
}

// sharedAddresses are those of carriers and clouds for use inside (RFC 6598).
var sharedAddresses = netip.MustParsePrefix("100.64.0.0/10")

// credentials reads and checks the body of a login.
func (w *Web) credentials(rw http.ResponseWriter, r *http.Request) (Credentials, error) {
	fields, err := w.fields(rw, r)
	if err != nil {
		return Credentials{}, err
	}
	var broken []string
	for _, rule := range []struct {
		field  string
		length int
	}{{"username", maxUsername}, {"password", maxPassword}} {
		switch length := utf8.RuneCountInString(fields[rule.field]); {
		case length == 0:
			broken = append(broken, rule.field+" is required, as a string")
		case length > rule.length:
			broken = append(broken, fmt.Sprintf("%s is longer than %d characters", rule.field, rule.length))
		}
	}
	if broken != nil {
		return Credentials{}, &paseto.Error{Code: errBody, Message: "Bad login. " + strings.Join(broken, "; ")}
	}
	return Credentials{Username: fields["username"], Password: paseto.NewSecret(fields["password"])}, nil
}
