package config

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pasetokit/pasetokit/paseto"
)

func TestRefusedYAML(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, yaml, want string }{
		{"unknown section", "tokens: {}", "tokens (FILE): unknown key; did you mean token?"},
		{"another section", "cookies: {}", "cookies (FILE): unknown key; known at the top level: token, http, websocket, live, denylist"},
		{"unknown key", "token: {acess_ttl: 5m}", "token.acess_ttl (FILE): unknown key; did you mean token.access_ttl?"},
		{"unknown in depth", "http: {cookie: {name: x}}", "http.cookie.name (FILE): unknown key; known in http.cookie: access_name"},
		{"a hyphen", "token: {access-ttl: 5m}", "token.access-ttl (FILE): unknown key; did you mean token.access_ttl?"},
		{"a path after file: that is missing", "token: {keys: ['file: ']}", "token.keys[0] (FILE): expected a path after file:"},
		{"case", "token: {Issuer: x}", "token.Issuer (FILE): unknown key; did you mean token.issuer?"},
		{"dotted key", "token.issuer: x", "token.issuer (FILE): unknown key; write issuer inside the section token"},
		{"section is a value", "token: k4.local.AAAA", "token (FILE): expected a section with the keys keys, verify_only, version, "},
		{"no value", "token: {issuer: }", "token.issuer (FILE): it has no value"},
		{"number for string", "token: {issuer: 5}", "token.issuer = 5 (FILE): expected a string"},
		{"string for bool", "denylist: {disabled: 'yes'}", `denylist.disabled = "yes" (FILE): expected true or false`},
		{"string for number", "token: {max_length: '1024'}", `token.max_length = "1024" (FILE): expected a whole number`},
		{"fraction", "token: {max_length: 1024.5}", "token.max_length = 1024.5 (FILE): expected a whole number"},
		{"string for list", "token: {audience: a}", `token.audience = "a" (FILE): expected a list`},
		{"number in list", "token: {audience: [a, 1]}", "token.audience[1] = 1 (FILE): expected a string"},
		{"duration", "token: {leeway: soon}", `token.leeway = "soon" (FILE): expected a duration such as 30s`},
		{"duration none", "token: {leeway: none}", `token.leeway = "none" (FILE): expected a duration`},
		{"true as lifetime", "token: {access_ttl: true}", "token.access_ttl = true (FILE): expected a duration such as 30s or 15m, or a number of seconds, or none"},
		{"negative seconds", "token: {access_ttl: -5}", "token.access_ttl = -5 (FILE): expected a duration"},
		{"negative duration", "token: {access_ttl: -5s}", "token.access_ttl = -5s (FILE): expected 1s to 100 years, 0 for the default, or none"},
		{"the code's own none", "token: {access_ttl: -1ns}", `token.access_ttl = "-1ns" (FILE): write none instead`},
		{"none while required", "token: {access_ttl: none}", "token.access_ttl = none (FILE): tokens without expiry are refused; set token.allow_no_expiry to true as well"},
		{"over max_ttl", "token: {max_ttl: 1h}", "token.refresh_ttl = 720h: longer than token.max_ttl, 1h"},
		{"negative leeway", "token: {leeway: -1s}", "token.leeway = -1s (FILE): expected 1ms to 24h"},
		{"version", "token: {version: v9}", `token.version = "v9" (FILE): expected one of v2, v3, v4`},
		{"version 1", "token: {version: v1}", `token.version = "v1" (FILE): expected one of v2, v3, v4; v1 rests on RSA, and is out of use`},
		{"purpose", "token: {purpose: other}", `token.purpose = "other" (FILE): expected one of local, public`},
		{"small max_length", "token: {max_length: 5}", "token.max_length = 5 (FILE): expected 256 to 1048576, 0 for the default"},
		{"http location", "http: {locations: [header, query]}", `http.locations[1] = "query" (FILE): query token location is only supported for WebSocket connections`},
		{"unknown location", "http: {locations: [body]}", `http.locations[0] = "body" (FILE): unknown token location "body"; expected one of header, cookie, json`},
		{"location twice", "http: {locations: [header, header]}", "http.locations (FILE): must not list anything twice"},
		{"websocket location", "websocket: {locations: [json]}", `websocket.locations[0] = "json" (FILE): json token location is not supported for WebSocket connections`},
		{"proxy by name", "http: {trusted_proxies: [10.0.0.0/8, proxy.example]}", `http.trusted_proxies[1] = "proxy.example" (FILE): ` +
			`"proxy.example" is neither an IP address nor a CIDR; expected one without a host name or a port`},
		{"unknown websocket location", "websocket: {locations: [body]}", `websocket.locations[0] = "body" (FILE): unknown token location "body"; expected one of header, query, cookie, subprotocol`},
		{"header name", "http: {header_name: 'a b'}", `http.header_name = "a b" (FILE): expected letters, digits`},
		{"realm", `http: {realm: "a\tb"}`, `http.realm = "a\tb" (FILE): expected printable ASCII`},
		{"realm with a quote", "http: {realm: 'a\"b'}", "expected printable ASCII without quotes and backslashes"},
		{"path with a semicolon", "http: {cookie: {path: '/;x'}}", `http.cookie.path = "/;x" (FILE): expected a path that begins with / and is printable ASCII without ;`},
		{"former path", "http: {cookie: {former: [/api, api]}}", `http.cookie.former[1] = "api" (FILE): expected a path that begins with /, or a domain and such a path`},
		{"former domain", "http: {cookie: {former: ['a b/']}}", `http.cookie.former[0] = "a b/" (FILE): expected a path that begins with /, or a domain`},
		{"too many former scopes", "http: {cookie: {former: [/1, /2, /3, /4, /5, /6, /7, /8, /9]}}", "http.cookie.former (FILE): must list at most 8"},
		{"prefix and domain", "http: {cookie: {access_name: __Host-a, domain: example.com}}", `http.cookie.access_name = "__Host-a" (FILE): browsers refuse the prefix __Host-`},
		{"prefix, not secure", "http: {cookie: {access_name: __Secure-a, insecure: true}}", `http.cookie.access_name = "__Secure-a" (FILE): browsers refuse the prefix while http.cookie.insecure is true`},
		{"two documents", "token: {issuer: a}\n---\ntoken: {issuer: b}", "it holds more than one YAML document"},
		{"unknown tag", "token:\n  issuer: !hunter2", "line 2: unknown tag; write text that begins with ! in quotes"},
		{"unknown tag of a list", "token: {audience: !hunter2 [a]}", "line 1: unknown tag"},
		{"unknown tag of a key", "token: {!hunter2 issuer: a}", "line 1: unknown tag"},
		{"longest lifetime", "token: {max_ttl: 2562047h}", "token.max_ttl = 2562047h (FILE): expected 1s to 100 years, or none"},
		{"long start leeway", "token: {start_leeway: 25h}", "token.start_leeway = 25h (FILE): expected 1ms to 24h, 0 for the default, or none"},
		{"negative start leeway", "token: {start_leeway: -1s}", "token.start_leeway = -1s (FILE): expected 1ms to 24h"},
		{"long leeway", "token: {leeway: 25h}", "token.leeway = 25h (FILE): expected 1ms to 24h"},
		{"cookie path", "http: {cookie: {path: x}}", `http.cookie.path = "x" (FILE): expected a path that begins with /`},
		{"cookie domain", "http: {cookie: {domain: 'a b'}}", `http.cookie.domain = "a b" (FILE): expected a domain name`},
		{"cookie names", "http: {cookie: {refresh_name: access_token}}", `http.cookie.refresh_name = "access_token" (FILE): must differ from http.cookie.access_name`},
		{"same_site none", "http: {cookie: {same_site: none, insecure: true}}", `http.cookie.same_site = "none" (FILE): browsers refuse it while http.cookie.insecure is true`},
		{"origin", "http: {allowed_origins: [x]}", `http.allowed_origins[0] = "x" (FILE): `},
		{"public scheme", "http: {public_scheme: wss}", `http.public_scheme = "wss" (FILE): expected one of http, https`},
		{"origin", "websocket: {allowed_origins: ['https://a.example/']}", `websocket.allowed_origins[0] = "https://a.example/" (FILE): "https://a.example/" is not an origin`},
		{"reject", "websocket: {reject: maybe}", `websocket.reject = "maybe" (FILE): expected one of close, http`},
		{"marker", "websocket: {subprotocols: [paseto.bearer]}", `websocket.subprotocols[0] = "paseto.bearer" (FILE): paseto.bearer is reserved`},
		{"close timeout", "websocket: {close_timeout: 6m}", "websocket.close_timeout = 6m (FILE): expected 1ms to 5m"},
		{"store", "denylist: {store: mongo}", `denylist.store = "mongo" (FILE): expected one of memory`},
		{"keys are no list", "token: {keys: " + hexKey + "}", "token.keys (FILE): expected a list of keys"},
		{"key is a number", "token: {keys: [5]}", "token.keys[0] (FILE): expected the key itself as a string, file:path, {file: path} or {env: NAME}"},
		{"key is empty", "token: {keys: ['']}", "token.keys[0] (FILE): expected the key itself"},
		{"key from two places", "token: {keys: [{file: a, env: B}]}", "token.keys[0] (FILE): expected the key itself"},
		{"key from elsewhere", "token: {keys: [{url: a}]}", "token.keys[0] (FILE): expected the key itself"},
		{"member of a key", "token: {keys: [{value: a}]}", "token.keys[0] (FILE): expected the key itself as a string, or an object; known in it: file, env, password_file, password_env, wrapping_key_file, wrapping_key_env, not_after"},
		{"key file is a number", "token: {keys: [{file: 5}]}", "token.keys[0] (FILE): file must be a string, and not empty"},
		{"key file is empty", "token: {keys: [{file: ''}]}", "token.keys[0] (FILE): file must be a string, and not empty"},
		{"password from two places", "token: {keys: [{file: a, password_file: b, password_env: C}]}", "token.keys[0] (FILE): expected at most one of password_file, password_env, wrapping_key_file and wrapping_key_env"},
		{"password without a key", "token: {keys: [{password_file: b}]}", "token.keys[0] (FILE): expected the key itself, or exactly one of file and env"},
		{"time is no time", "token: {keys: [{file: a, not_after: soon}]}", "token.keys[0] (FILE): not_after must be a time with its zone, such as 2030-01-31T12:00:00Z"},
		{"time is a number", "token: {keys: [{file: a, not_after: 5}]}", "token.keys[0] (FILE): not_after must be a time"},
		{"hour of one digit", "token: {keys: [{file: a, not_after: 2030-01-31T1:00:00Z}]}", "token.keys[0] (FILE): not_after must be a time"},
		{"comma in a time", "token: {keys: [{file: a, not_after: '2030-01-31T12:00:00,5Z'}]}", "token.keys[0] (FILE): not_after must be a time"},
		{"offset of a day", "token: {keys: [{file: a, not_after: 2030-01-31T12:00:00+24:00}]}", "token.keys[0] (FILE): not_after must be a time"},
		{"month of one digit", "token: {keys: [{file: a, not_after: 2030-1-31T12:00:00Z}]}", "token.keys[0] (FILE): not_after must be a time"},
		{"date", "token: {keys: [{file: a, not_after: 2030-01-31}]}", "token.keys[0] (FILE): not_after must be a time"},
		{"date as a time", "token: {keys: [{file: a, not_after: !!timestamp 2030-01-31}]}", "token.keys[0] (FILE): not_after must be a time"},
		{"zero time", "token: {keys: [{file: a, not_after: 0001-01-01T00:00:00Z}]}", "token.keys[0] (FILE): not_after must be a time"},
		{"no such key file", "token: {keys: [{file: /nonexistent/key}]}", "token.keys[0] (FILE): the key file cannot be read: open /nonexistent/key: no such file or directory"},
		{"no such variable", "token: {keys: [{env: NO_SUCH_KEY}]}", "token.keys[0] (FILE): environment variable NO_SUCH_KEY is not set"},
		{"short key", "token: {keys: [abcd]}", "token.keys[0] (FILE): invalid key: a v4 local key has 32 bytes, this one 2"},
		{"no key at all", "token: {keys: [password]}", "token.keys[0] (FILE): invalid key: expected a PASERK"},
		{"bare 32 bytes for public", "token: {purpose: public, keys: [" + hexKey + "]}", "token.keys[0] (FILE): invalid key: 32 bytes may be a seed or a public key"},
		{"duplicate key", "token: {issuer: a, issuer: b}", "already"},
		{"broken YAML", "token: [", "FILE: yaml"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			path := write(t, "auth.yaml", test.yaml)
			_, _, err := load(nil, []string{path})
			wantProblem(t, err, strings.NewReplacer("(FILE)", "("+path+":1)", "FILE", path).Replace(test.want))
		})
	}
}

func TestRefusedFiles(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, file, content, want string }{
		{"unknown extension", "auth.ini", "", "unknown kind of file"},
		{"broken TOML", "auth.toml", "token = [", "toml"},
		{"broken JSON", "auth.json", `{"token": `, "not valid JSON"},
		{"duplicate in JSON", "auth.json", `{"token": {"issuer": "a", "issuer": "b"}}`, `member "issuer" occurs twice`},
		{"huge number", "auth.json", `{"token": {"max_length": 1e30}}`, "expected a whole number"},
		{"half of a surrogate pair", "auth.json", `{"token": {"issuer": "a\ud800"}}`, "surrogate"},
		{"offset of a day", "auth.json", `{"token": {"keys": [{"file": "a", "not_after": "2030-01-31T12:00:00+24:00"}]}}`, "not_after must be a time"},
		{"comma in a time", "auth.toml", "[token]\nkeys = [{file = \"a\", not_after = \"2030-01-31T12:00:00,5Z\"}]", "not_after must be a time"},
		{"offset of a day in TOML", "auth.toml", "[token]\nkeys = [{file = \"a\", not_after = 2030-01-31T12:00:00+24:00}]", "timezone"},
		{"time without a zone", "auth.toml", "[token]\nkeys = [{file = \"a\", not_after = 2030-01-31T12:00:00}]", "not_after must be a time with its zone"},
		{"directory", ".yaml/x.yaml", "", "no such file"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), test.file)
			if test.content != "" {
				path = write(t, test.file, test.content)
			}
			_, _, err := load(nil, []string{path})
			wantProblem(t, err, test.want)
			wantProblem(t, err, path)
		})
	}
}

func TestRefusedEnvironment(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, variable, want string }{
		{"unknown section", "PASETOKIT_TOKN__ISSUER=x", "PASETOKIT_TOKN__ISSUER: unknown key; did you mean PASETOKIT_TOKEN__ISSUER?"},
		{"unknown key", "PASETOKIT_TOKEN__ISUER=x", "PASETOKIT_TOKEN__ISUER: unknown key; did you mean PASETOKIT_TOKEN__ISSUER?"},
		{"one underscore", "PASETOKIT_TOKEN_ISSUER=x", "PASETOKIT_TOKEN_ISSUER: unknown key"},
		{"lower case", "PASETOKIT_token__issuer=x", "PASETOKIT_token__issuer: unknown key; did you mean PASETOKIT_TOKEN__ISSUER?"},
		{"a section", "PASETOKIT_TOKEN=x", "PASETOKIT_TOKEN: it names no single key"},
		{"too deep", "PASETOKIT_TOKEN__ISSUER__X=x", "PASETOKIT_TOKEN__ISSUER__X: it names no single key"},
		{"bool", "PASETOKIT_DENYLIST__DISABLED=yes", `denylist.disabled = "yes" (PASETOKIT_DENYLIST__DISABLED): expected true or false`},
		{"number", "PASETOKIT_TOKEN__MAX_LENGTH=many", `token.max_length = "many" (PASETOKIT_TOKEN__MAX_LENGTH): expected a whole number`},
		{"lifetime", "PASETOKIT_TOKEN__ACCESS_TTL=false", `token.access_ttl = "false" (PASETOKIT_TOKEN__ACCESS_TTL): expected a duration such as 30s or 15m`},
		{"rule", "PASETOKIT_TOKEN__PURPOSE=secret", `token.purpose = "secret" (PASETOKIT_TOKEN__PURPOSE): expected one of local, public`},
		{"key", "PASETOKIT_TOKEN__KEYS=" + hexKey + ",k4.local.x", "token.keys[1] (PASETOKIT_TOKEN__KEYS): invalid key: "},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, _, err := load([]string{test.variable}, nil)
			wantProblem(t, err, test.want)
		})
	}
}

// TestAllProblemsAtOnce checks that one error tells of every source, of what
// cannot be read and of rules that are broken.
func TestAllProblemsAtOnce(t *testing.T) {
	t.Parallel()
	path := write(t, "auth.yaml", "token: {acess_ttl: 5m, purpose: other, leeway: soon}\nhttp: {locations: [body]}")
	_, _, err := load([]string{"PASETOKIT_DENYLIST__DISABLED=yes", "PASETOKIT_X=y"}, []string{path, "missing.toml"})
	for _, want := range []string{
		"7 problems", "token.acess_ttl", "token.purpose", "token.leeway", "http.locations[0]",
		"missing.toml", "denylist.disabled", "PASETOKIT_X",
	} {
		wantProblem(t, err, want)
	}
}

// TestSecretsAreNotShown puts keys where they belong and where they do not: no
// error contains them.
func TestSecretsAreNotShown(t *testing.T) {
	t.Parallel()
	const secret = "k4.local.cHFyc3R1dnd4eXp7fH1-f4CBgoOEhYaHiImKi4yNjo"
	for name, content := range map[string]string{
		"damaged key":     "token: {keys: [" + secret + "]}",
		"for another key": "token: {version: " + secret + "}",
		"for a number":    "token: {max_length: " + secret + "}",
		"for a section":   "token: " + secret,
		"for the list":    "token: {keys: " + secret + "}",
		"in a list":       "token: {keys: [[" + secret + "]]}",
		"as a file":       "token: {keys: [{value: " + secret + "}]}",
		"as a path":       "token: {keys: [{file: " + secret + "}]}",
		"hex as a path":   "token: {keys: [{file: " + hexKey + "}]}",
		"as a variable":   "token: {keys: [{env: " + secret + "}]}",
		"as a password":   "token: {keys: [{env: HOME, password_file: " + hexKey + "}]}",
		"as a member":     "token: {keys: [{" + secret + ": x}]}",
		"as a time":       "token: {keys: [{file: a, not_after: " + secret + "}]}",
		"hex elsewhere":   "token: {version: " + hexKey + "}",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, _, err := load(nil, []string{write(t, "auth.yaml", content)})
			if err == nil {
				t.Fatal("it is accepted")
			}
			if strings.Contains(err.Error(), secret[12:40]) || strings.Contains(err.Error(), hexKey[8:40]) {
				t.Errorf("the error shows the key: %v", err)
			}
		})
	}
}

func wantProblem(t *testing.T, err error, want string) {
	t.Helper()
	var problems *Error
	if !errors.As(err, &problems) || !errors.Is(err, paseto.ErrConfig) {
		t.Fatalf("error is %v, want an *Error that wraps ErrConfig", err)
	}
	if !strings.Contains(err.Error(), want) {
		t.Errorf("error does not say %q:\n%v", want, err)
	}
}
