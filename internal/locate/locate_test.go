package locate_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/pasetokit/pasetokit/internal/locate"
	"github.com/pasetokit/pasetokit/paseto"
)

// A finding is what a location gives: a token, none, or an error, by its
// message.
type finding struct {
	token   string
	message string
}

const twice = "More than one token was sent. Expected exactly one"

func check(t testing.TB, token string, err error, want finding) {
	t.Helper()
	if want.message == "" {
		if token != want.token || err != nil {
			t.Errorf("found %q, %v; want %q", token, err, want.token)
		}
		return
	}
	sentinel := paseto.ErrMalformedCredential
	if want.message == twice {
		sentinel = paseto.ErrAmbiguousCredential
	}
	refusal, ok := errors.AsType[*paseto.Error](err)
	if !ok || !errors.Is(err, sentinel) || refusal.Message != want.message {
		t.Errorf("error is %v, want %q of code %s", err, want.message, sentinel)
	}
	if token != "" {
		t.Errorf("there is an error and a token, %q", token)
	}
}

func TestHeader(t *testing.T) {
	t.Parallel()
	bad := finding{message: "Bad Authorization header. Expected value 'Bearer <PASETO>'"}
	badBare := finding{message: "Bad X-Token header. Expected value '<PASETO>'"}
	for _, test := range []struct {
		name, header, scheme string
		values               []string
		want                 finding
	}{
		{"absent", "Authorization", "Bearer", nil, finding{}},
		{"token", "Authorization", "Bearer", []string{"Bearer a.b"}, finding{token: "a.b"}},
		{"any case", "authorization", "BEARER", []string{"bearer a.b"}, finding{token: "a.b"}},
		{"every visible character", "Authorization", "Bearer", []string{`Bearer !"#$%&'()*+-./:;<=>?@[\]^_{|}~` + "`"}, finding{token: `!"#$%&'()*+-./:;<=>?@[\]^_{|}~` + "`"}},
		{"empty", "Authorization", "Bearer", []string{""}, bad},
		{"scheme alone", "Authorization", "Bearer", []string{"Bearer"}, bad},
		{"scheme and space", "Authorization", "Bearer", []string{"Bearer "}, bad},
		{"other scheme", "Authorization", "Bearer", []string{"NotBearer x"}, bad},
		{"longer scheme", "Authorization", "Bearer", []string{"Bearers x"}, bad},
		{"two words", "Authorization", "Bearer", []string{"Bearer a b"}, bad},
		{"two spaces", "Authorization", "Bearer", []string{"Bearer  a.b"}, finding{token: "a.b"}},
		{"many spaces", "Authorization", "Bearer", []string{"Bearer" + strings.Repeat(" ", 100) + "a.b"}, finding{token: "a.b"}},
		{"spaces alone", "Authorization", "Bearer", []string{"Bearer   "}, bad},
		{"space and tab", "Authorization", "Bearer", []string{"Bearer \tx"}, bad},
		{"no-break space", "Authorization", "Bearer", []string{"Bearer \u00a0x"}, bad},
		{"trailing space", "Authorization", "Bearer", []string{"Bearer x "}, bad},
		{"tab", "Authorization", "Bearer", []string{"Bearer\tx"}, bad},
		{"comma", "Authorization", "Bearer", []string{"Bearer x,y"}, bad},
		{"control character", "Authorization", "Bearer", []string{"Bearer x\x00"}, bad},
		{"delete character", "Authorization", "Bearer", []string{"Bearer x\x7f"}, bad},
		{"not ASCII", "Authorization", "Bearer", []string{"Bearer ä"}, bad},
		{"not UTF-8", "Authorization", "Bearer", []string{"Bearer \xff"}, bad},
		{"repeated", "Authorization", "Bearer", []string{"Bearer x", "Bearer x"}, finding{message: twice}},
		{"repeated, one of another scheme", "Authorization", "Bearer", []string{"Basic x", "Bearer x"}, finding{message: twice}},
		{"bare", "X-Token", "", []string{"a.b"}, finding{token: "a.b"}},
		{"bare and empty", "X-Token", "", []string{""}, badBare},
		{"bare of two words", "X-Token", "", []string{"Bearer x"}, badBare},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			h := make(http.Header)
			for _, value := range test.values {
				h.Add(test.header, value)
			}
			token, err := locate.Header(h, test.header, test.scheme)
			check(t, token, err, test.want)
		})
	}
}

func TestCookie(t *testing.T) {
	t.Parallel()
	bad := finding{message: "Bad door cookie. Expected value '<PASETO>'"}
	for _, test := range []struct {
		name  string
		lines []string
		want  finding
	}{
		{"absent", nil, finding{}},
		{"others", []string{"theme=dark; Door=x; doors=x; door-=x"}, finding{}},
		{"value of another", []string{"a=door=x"}, finding{}},
		{"alone", []string{"door=a.b"}, finding{token: "a.b"}},
		{"among others", []string{"theme=dark;door=a.b ; n=1"}, finding{token: "a.b"}},
		{"in a later line", []string{"theme=dark", "door=a.b"}, finding{token: "a.b"}},
		{"with an equals sign", []string{"door=a=b"}, finding{token: "a=b"}},
		{"empty", []string{"door="}, bad},
		{"no value", []string{"door"}, bad},
		{"space inside", []string{"door=a b"}, bad},
		{"comma", []string{"door=a,b"}, bad},
		{"repeated", []string{"door=a; door=b"}, finding{message: twice}},
		{"repeated in lines", []string{"door=a", "door=a"}, finding{message: twice}},
		{"repeated, once empty", []string{"door=a; door="}, finding{message: twice}},
		{"repeated, once with a space", []string{"door =a; door=b"}, finding{message: twice}},
		{"tab before", []string{"n=1;\tdoor=a.b"}, finding{token: "a.b"}},
		// Browsers keep a cookie of the name __Host-… from other hosts, and do
		// not know one with such a space before it.
		{"no-break space before", []string{"\u00a0door=a.b"}, finding{}},
		{"en quad before", []string{"\u2000door=a.b"}, finding{}},
		{"no-break space behind", []string{"door=a.b\u00a0"}, bad},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			token, err := locate.Cookie(http.Header{"Cookie": test.lines}, "door")
			check(t, token, err, test.want)
		})
	}
}

func TestQuery(t *testing.T) {
	t.Parallel()
	bad := finding{message: "Bad token query param. Expected value '<PASETO>'"}
	badPrefix := finding{message: "Bad token query param. Expected value 'Bearer <PASETO>'"}
	for _, test := range []struct {
		name, query, prefix string
		want                finding
	}{
		{"absent", "", "", finding{}},
		{"others", "room=5&Token=x&token[]=x", "", finding{}},
		{"token", "room=5&token=a.b", "", finding{token: "a.b"}},
		{"encoded", "%74oken=a%2Eb", "", finding{token: "a.b"}},
		{"prefix", "token=bearer+a.b", "Bearer", finding{token: "a.b"}},
		{"prefix, encoded", "token=Bearer%20a.b", "Bearer", finding{token: "a.b"}},
		{"prefix, spaces", "token=Bearer++%20a.b", "Bearer", finding{token: "a.b"}},
		{"prefix, tab", "token=Bearer%09a.b", "Bearer", badPrefix},
		{"no prefix", "token=a.b", "Bearer", badPrefix},
		{"other prefix", "token=Basic+a.b", "Bearer", badPrefix},
		{"empty", "token=", "", bad},
		{"no value", "token", "", bad},
		{"space", "token=a+b", "", bad},
		{"encoded line end", "token=a%0d%0ab", "", bad},
		{"repeated", "token=a&token=b", "", finding{message: twice}},
		{"repeated, once encoded", "token=a&%74oken=a", "", finding{message: twice}},
		{"broken escape", "token=a.b&room=%", "", bad},
		{"broken escape with prefix", "token=Bearer+a.b&room=%", "Bearer", badPrefix},
		{"semicolon", "token=a;token=b", "", bad},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			token, err := locate.Query(test.query, "token", test.prefix)
			check(t, token, err, test.want)
		})
	}
}

func TestTicket(t *testing.T) {
	t.Parallel()
	bad := finding{message: "Bad ticket query param. Expected value '<PASETO>'"}
	for _, test := range []struct {
		name, query string
		want        finding
	}{
		{"none", "room=1", finding{}},
		{"other case", "Ticket=a", finding{}},
		{"ticket", "room=1&ticket=a.b&x", finding{token: "a.b"}},
		{"escaped", "%74icket=a%2Eb", finding{token: "a.b"}},
		{"empty", "ticket=", bad},
		{"no value", "ticket", bad},
		{"space", "ticket=a+b", bad},
		{"broken escape", "ticket=a%zz", bad},
		{"broken escape of another", "ticket=a.b&room=%", finding{token: "a.b"}},
		// Some servers take a semicolon for an ampersand: for them this is another ticket.
		{"semicolon", "ticket=a;b", bad},
		{"semicolon, another parameter", "ticket=a;room=1", bad},
		{"semicolon, twice", "ticket=a;ticket=b", bad},
		{"semicolon, another's", "room=1;n=2&ticket=a.b", finding{token: "a.b"}},
		{"repeated", "ticket=a&ticket=b", finding{message: twice}},
		{"repeated, once escaped", "ticket=a&%74icket=a", finding{message: twice}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			token, err := locate.Ticket(test.query, "ticket")
			check(t, token, err, test.want)
		})
	}
}

func TestMember(t *testing.T) {
	t.Parallel()
	bad := finding{message: "Bad access_token header. Expected value '<PASETO>'"}
	badPrefix := finding{message: "Bad access_token header. Expected value 'Token <PASETO>'"}
	badBody := finding{message: "Bad request body. Expected a JSON object"}
	for _, test := range []struct {
		name, body, prefix string
		want               finding
	}{
		{"absent", `{}`, "", finding{}},
		{"other case", `{"Access_Token":"x"}`, "", finding{}},
		{"deeper", `{"a":{"access_token":"x"},"b":[{"access_token":"y"}]}`, "", finding{}},
		{"token", ` {"n":1, "access_token" : "a.b" } `, "", finding{token: "a.b"}},
		{"escaped", `{"access\u005ftoken":"a\u002eb"}`, "", finding{token: "a.b"}},
		{"prefix", `{"access_token":"TOKEN a.b"}`, "Token", finding{token: "a.b"}},
		{"prefix, spaces", `{"access_token":"Token   a.b"}`, "Token", finding{token: "a.b"}},
		{"prefix, tab", `{"access_token":"Token\ta.b"}`, "Token", badPrefix},
		{"other prefix", `{"access_token":"Basic a.b"}`, "Token", badPrefix},
		{"no prefix", `{"access_token":"a.b"}`, "Token", badPrefix},
		{"empty", `{"access_token":""}`, "", bad},
		{"number", `{"access_token":1}`, "", bad},
		{"null", `{"access_token":null}`, "", bad},
		{"list", `{"access_token":["a.b"]}`, "", bad},
		{"object", `{"access_token":{"a":"b"}}`, "", bad},
		{"line end", `{"access_token":"a\r\nb"}`, "", bad},
		{"not ASCII", `{"access_token":"ä"}`, "", bad},
		{"array", `["access_token"]`, "", badBody},
		{"string", `"a.b"`, "", badBody},
		{"empty body", ``, "", badBody},
		{"cut off", `{"access_token":"a.b"`, "", badBody},
		{"two values", `{"access_token":"a.b"} {}`, "", badBody},
		{"duplicate", `{"access_token":"a.b","access_token":"a.b"}`, "", badBody},
		{"duplicate, once escaped", `{"access_token":"a.b","access\u005ftoken":"c.d"}`, "", badBody},
		{"duplicate of another", `{"access_token":"a.b","n":1,"n":1}`, "", badBody},
		{"not UTF-8", "{\"access_token\":\"a.b\",\"n\":\"\xff\"}", "", badBody},
		{"deep", `{"access_token":"a.b","n":` + strings.Repeat("[", 1000) + strings.Repeat("]", 1000) + `}`, "", badBody},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			token, err := locate.Member([]byte(test.body), "access_token", test.prefix)
			check(t, token, err, test.want)
		})
	}
}

func TestSubprotocol(t *testing.T) {
	t.Parallel()
	bad := finding{message: "Bad Sec-WebSocket-Protocol header. Expected value 'paseto.bearer, <PASETO>'"}
	for _, test := range []struct {
		name   string
		lines  []string
		want   finding
		others []string
	}{
		{"absent", nil, finding{}, nil},
		{"others", []string{"chat, superchat"}, finding{}, []string{"chat", "superchat"}},
		{"token", []string{"paseto.bearer, a.b"}, finding{token: "a.b"}, nil},
		{"no spaces", []string{"paseto.bearer,a.b"}, finding{token: "a.b"}, nil},
		{"among others", []string{"chat, paseto.bearer, a.b, superchat"}, finding{token: "a.b"}, []string{"chat", "superchat"}},
		{"over lines", []string{"chat", "paseto.bearer", "a.b", "superchat"}, finding{token: "a.b"}, []string{"chat", "superchat"}},
		{"marker in another case", []string{"Paseto.Bearer, a.b"}, finding{}, []string{"Paseto.Bearer", "a.b"}},
		{"marker alone", []string{"paseto.bearer"}, bad, nil},
		{"marker last", []string{"chat, paseto.bearer"}, bad, []string{"chat"}},
		{"empty token", []string{"paseto.bearer, , chat"}, bad, []string{"chat"}},
		{"space in the token", []string{"paseto.bearer, a b"}, bad, nil},
		{"repeated", []string{"paseto.bearer, a.b, paseto.bearer, a.b"}, finding{message: twice}, nil},
		{"repeated over lines", []string{"paseto.bearer, a.b", "paseto.bearer, c.d"}, finding{message: twice}, nil},
		{"repeated, once alone", []string{"paseto.bearer, a.b, paseto.bearer"}, finding{message: twice}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			token, others, err := locate.Subprotocol(http.Header{"Sec-Websocket-Protocol": test.lines})
			check(t, token, err, test.want)
			if !slices.Equal(others, test.others) {
				t.Errorf("the other protocols are %q, want %q", others, test.others)
			}
		})
	}
}

func TestOne(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	found := func(token string) func() (string, error) { return func() (string, error) { return token, nil } }
	fails := func() (string, error) { return "", broken }
	for _, test := range []struct {
		name  string
		find  []func() (string, error)
		token string
		index int
		err   error
	}{
		{"nowhere to look", nil, "", -1, nil},
		{"nothing", []func() (string, error){found(""), found("")}, "", -1, nil},
		{"first", []func() (string, error){found("a"), found("")}, "a", 0, nil},
		{"last", []func() (string, error){found(""), found("a")}, "a", 1, nil},
		{"two", []func() (string, error){found("a"), found("a")}, "", -1, paseto.ErrAmbiguousCredential},
		{"bad before good", []func() (string, error){fails, found("a")}, "", -1, broken},
		{"bad after good", []func() (string, error){found("a"), fails}, "", -1, broken},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			token, index, err := locate.One(false, test.find...)
			if token != test.token || index != test.index || !errors.Is(err, test.err) {
				t.Errorf("found %q at %d, %v; want %q at %d, %v", token, index, err, test.token, test.index, test.err)
			}
		})
	}
}

// TestOtherScheme finds out whose a header is: one of another scheme is no error where
// another location has a token or none is needed, and what is malformed of our own scheme
// always is.
func TestOtherScheme(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		value  string
		theirs bool
	}{
		{"Basic dTpw", true},
		{"basic   dTpw", true},
		{"Basic", true},
		{"Negotiate YII=", true},
		{"NTLM TlRM", true},
		{`Digest username="u", realm="r, s", nonce="Bearer x"`, true},
		{"DPoP v4.local.AAAA", true},
		{"Bearers x", true},
		{"AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host, Signature=c", true},
		{"Bearer", false},
		{"Bearer ", false},
		{"BEARER a b", false},
		{"Bearer\tx", false},
		{"Bearer,x", false},
		{"Bearer=x", false},
		{"Bearer:x", false},
		{"Bearerv4.local.AAAA", false},
		{"Basic dTpw,Bearer\tx", false},
		{"Basic dTpw, Bearer\u00a0x", false},
		{"Basic dTpw,\u00a0Bearer x", false},
		{"Basic dTpw, Bearer:x", false},
		{"", false},
		{" Basic x", false},
		{"Bäsic x", false},
		{"v4.local.AAAA", false},
		{"v2.public.AAAA.BBBB", false},
		{"v4.local.AAAA x", false},
		{"djQubG9jYWwuQUFBQQ", false}, // v4.local.AAAA in base64
		{"djQucHVibGljLkFBQUE", false},
		{"Basic dTpw, Bearer a.b", false}, // joined by a proxy
		{"Basic dTpw,bearer", false},
		{"Bearer a.b, Basic dTpw", false},
	} {
		t.Run(test.value, func(t *testing.T) {
			t.Parallel()
			inHeader := func() (string, error) {
				return locate.Header(http.Header{"Authorization": {test.value}}, "Authorization", "Bearer")
			}
			elsewhere := func() (string, error) { return "a.b", nil }
			bad := finding{message: "Bad Authorization header. Expected value 'Bearer <PASETO>'"}
			notOurs := func(want finding) finding {
				if test.theirs {
					return want
				}
				return bad
			}
			token, _, err := locate.One(false, inHeader)
			check(t, token, err, bad)
			token, _, err = locate.One(true, inHeader)
			check(t, token, err, notOurs(finding{}))
			for _, optional := range []bool{true, false} {
				token, _, err = locate.One(optional, inHeader, elsewhere)
				check(t, token, err, notOurs(finding{token: "a.b"}))
				token, _, err = locate.One(optional, elsewhere, inHeader)
				check(t, token, err, notOurs(finding{token: "a.b"}))
			}
		})
	}
}
