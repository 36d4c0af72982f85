package config

import (
	"strings"
	"testing"
)

// TestProblemsInOrder: the problems of rules between settings stand in the order of the
// sections, always.
func TestProblemsInOrder(t *testing.T) {
	t.Parallel()
	path := write(t, "auth.yaml", `
token: {max_ttl: 800h, access_ttl: 900h}
http: {cookie: {insecure: true, same_site: none}}
websocket: {locations: [query, ticket], ticket_key: token}
denylist: {store: bolt}
`)
	for range 20 {
		_, _, err := load(nil, []string{path})
		wantProblem(t, err, "config: 4 problems:\n  token.access_ttl = 900h ("+path+":2): longer than token.max_ttl, 800h"+
			"\n  http.cookie.same_site = \"none\" ("+path+":3): browsers refuse it while http.cookie.insecure is true"+
			"\n  websocket.ticket_key = \"token\" ("+path+":4): must differ from websocket.query_key\n  denylist.bolt.path: ")
	}
}

// TestOppositeIsNotMeant: who writes secure is not told to write insecure in its place.
func TestOppositeIsNotMeant(t *testing.T) {
	t.Parallel()
	path := write(t, "auth.yaml", "http: {cookie: {secure: true}}")
	_, _, inFile := load(nil, []string{path})
	wantProblem(t, inFile, "config: http.cookie.secure ("+path+":1): unknown key; known in http.cookie: ")
	_, _, inEnvironment := load([]string{"PASETOKIT_HTTP__COOKIE__SECURE=true"}, nil)
	wantProblem(t, inEnvironment, "config: PASETOKIT_HTTP__COOKIE__SECURE: unknown key; known in http.cookie: ")
	for _, err := range []error{inFile, inEnvironment} {
		if strings.Contains(err.Error(), "did you mean") {
			t.Errorf("the error is %v", err)
		}
	}
	_, _, err := load([]string{"PASETOKIT_HTTP__COOKIE__INSECUR=true"}, nil)
	wantProblem(t, err, "did you mean PASETOKIT_HTTP__COOKIE__INSECURE?")
}

// TestBracesInFileNames: what stands in braces in the name of a file is not taken for a
// setting.
func TestBracesInFileNames(t *testing.T) {
	t.Parallel()
	cfg := newConfig()
	cfg.Denylist.Store, boltOf(cfg).Path = "bolt", "{Nothing}/{Other.Thing}/revoked.db"
	var ps problems
	checker{&ps, cfg, schemaOf(cfg), nil}.use(false)
	wantProblem(t, ps.err(), "{Nothing}/{Other.Thing}")
	if text := ps.err().Error(); strings.Contains(text, "Denylist.Bolt") {
		t.Errorf("the error names fields: %s", text)
	}
}

// TestMovedKeys names the place where a key is now that was in the section websocket.
func TestMovedKeys(t *testing.T) {
	t.Parallel()
	for old, now := range map[string]string{
		"max_lifetime":       "live.max_lifetime",
		"renew_failure":      "live.renew_failure",
		"renew_interval":     "live.renew_interval",
		"recheck_interval":   "live.recheck_interval",
		"max_unchecked":      "live.max_unchecked",
		"shutdown_rate":      "live.shutdown_rate",
		"limits.per_subject": "live.per_subject",
		"limits.on_excess":   "live.on_excess",
		"limits.lease_ttl":   "live.lease_ttl",
		"limits.connections": "live.max_rights",
	} {
		old = "websocket." + old
		_, _, err := load([]string{variableName(old) + "=x"}, nil)
		wantProblem(t, err, variableName(old)+": unknown key; did you mean "+variableName(now)+"?")

		section, name := old[:strings.LastIndexByte(old, '.')], old[strings.LastIndexByte(old, '.')+1:]
		path := write(t, "auth.toml", "["+section+"]\n"+name+" = 1\n")
		_, _, err = load(nil, []string{path})
		wantProblem(t, err, old+" ("+path+":2): unknown key; did you mean "+now+"?")
	}
	_, _, err := load([]string{"PASETOKIT_WEBSOCKET__RENEW_FAILURE=close"}, nil)
	wantProblem(t, err, "did you mean PASETOKIT_LIVE__RENEW_FAILURE? Its value close is now end")
	_, _, err = load(nil, []string{write(t, "auth.yaml", "websocket: {renew_failure: close}\n")})
	wantProblem(t, err, "did you mean live.renew_failure? Its value close is now end")
}
