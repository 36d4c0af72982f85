package main

import (
	"bytes"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/internal/testtoken"
	"github.com/pasetokit/pasetokit/paseto"
)

func TestInspect(t *testing.T) {
	t.Parallel()
	d := newDir(t)
	d.write("implicit", "tied to this")
	d.write("auth.yaml", "token: {keys: [{file: DIR/zero}], require_issuer: me}")
	fresh := time.Now()
	public := token(t, key(t, pairKey), past, "access", paseto.Grant{Subject: "alice"})
	const publicHead = `version  v4
purpose  public: signed, readable by everyone
size     … bytes (claims …, footer 61)
kid      ` + pairID + `
footer   {"kid":"` + pairID + `"}
`
	const publicClaims = `{
  "auth_time": "2020-01-02T03:04:05Z",
  "exp": "2020-01-02T03:19:05Z",
  "fresh": false,
  "iat": "2020-01-02T03:04:05Z",
  "jti": "…",
  "nbf": "2020-01-02T03:04:05Z",
  "sub": "alice",
  "type": "access"
}
`
	const localHead = `version  v4
purpose  local: encrypted, readable with the key alone
size     … bytes (claims …, footer 61)
kid      ` + zeroID + `
footer   {"kid":"` + zeroID + `"}
`
	for _, test := range []struct{ name, args, token, want string }{
		{"public without key", "", public, publicHead + "claims   UNVERIFIED: anyone may have written them\n" + publicClaims},
		{"public with its key", "--key DIR/zero --key DIR/public", public,
			publicHead + "status   refused: token_expired: Token expired. (valid until 2020-01-02T03:19:05Z, now …)\nclaims   verified\n" + publicClaims},
		{"local without key", "", token(t, key(t, zeroKey), fresh, "access", paseto.Grant{}),
			localHead + "claims   encrypted; --key shows them\n"},
		{"local with its key", "--key DIR/zero", token(t, key(t, zeroKey), fresh, "refresh", paseto.Grant{}),
			localHead + "status   accepted\nclaims   verified\n{\n  \"auth_time\": …\n  \"exp\": …\n  \"iat\": …\n  \"jti\": …\n  \"nbf\": …\n  \"type\": \"refresh\"\n}\n"},
		{"local with another key", "--key DIR/pair", token(t, key(t, zeroKey), fresh, "access", paseto.Grant{}),
			localHead + "status   refused: purpose_unsupported: Invalid PASETO purpose local\nclaims   encrypted, and not opened\n"},
		{"implicit assertion", "--key DIR/zero --implicit-file DIR/implicit",
			token(t, key(t, zeroKey), fresh, "a", paseto.Grant{Implicit: []byte("tied to this")}),
			localHead + "status   accepted\nclaims   verified\n{\n  \"exp\": …\n  \"iat\": …\n  \"jti\": …\n  \"nbf\": …\n  \"type\": \"a\"\n}\n"},
		{"footer to fool a terminal", "", token(t, key(t, zeroKey), fresh, "a", paseto.Grant{Footer: "\x1b[2J\u202e"}),
			"version  v4\npurpose  …\nsize     …\nfooter   \"\\u001b[2J\\u202e\"\nclaims   encrypted; --key shows them\n"},
		{"claims that are none", "", "v4.public." + b64("none"+strings.Repeat("x", 64)),
			"version  v4\npurpose  …\nsize     101 bytes (claims 4, footer 0)\nclaims   not a JSON object\n"},
		{"version 3", "", token(t, must2(paseto.NewKey(paseto.V3, paseto.Public)), fresh, "a", paseto.Grant{Subject: "x"}),
			"version  v3\n…\n…\n…\n…\nclaims   UNVERIFIED: anyone may have written them\n{\n…\n…\n…\n…\n…\n…\n}\n"},
		{"configuration", "--config DIR/auth.yaml", token(t, key(t, zeroKey), fresh, "access", paseto.Grant{Issuer: "other"}),
			localHead + "status   refused: issuer_invalid: Token issuer is not valid …\nclaims   verified\n{\n…\n…\n…\n…\n…\n…\n…\n…\n}\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			d := &dir{t: t, path: d.path}
			d.run("inspect "+test.args, test.token).want(0, test.want, "")
		})
	}
}

func b64(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

func TestInspectJSON(t *testing.T) {
	t.Parallel()
	d := newDir(t)
	public := token(t, key(t, pairKey), past, "access", paseto.Grant{Subject: "alice", Footer: "plain"})
	const claims = `"claims":{"auth_time":"…","exp":"…","fresh":false,"iat":"…","jti":"…","nbf":"…","sub":"alice","type":"access"}`
	const head = `{"version":"v4","purpose":"public","size":{"token":…,"claims":202,"footer":5},"footer":"plain",` + claims
	d.runWith(public+"\n", "inspect --json").want(0, head+`,"verified":false,"status":"unchecked"}`+"\n", "")
	d.runWith(public, "inspect --json - --key DIR/pair").want(0, head+
		`,"verified":true,"status":"refused","refusal":{"code":"token_expired","message":"Token expired.","cause":"valid until …, now …"}}`+"\n", "")
	accepted := token(t, key(t, pairKey), time.Now(), "x", paseto.Grant{})
	if v := d.runWith(accepted, "inspect --json --key DIR/public").decode(); v["status"] != "accepted" || v["kid"] != pairID {
		t.Errorf("inspect says %v", v)
	}
}

// TestInspectUnlikelyTokens inspects authentic tokens that every Authorizer
// refuses: what they say is shown all the same.
func TestInspectUnlikelyTokens(t *testing.T) {
	t.Parallel()
	d := newDir(t)
	for _, test := range []struct{ name, claims, want string }{
		{"no type", `{"exp":"2100-01-01T00:00:00Z"}`, "type_mismatch"},
		{"no expiry", `{"type":"access"}`, "expiry_missing"},
		{"not yet valid", `{"type":"access","nbf":"2100-01-01T00:00:00Z"}`, "token_not_yet_valid"},
		{"long over", `{"type":"access","nbf":"1000-01-01T00:00:00Z","exp":"1000-01-01T00:00:01Z"}`, "token_expired"},
		{"far ahead", `{"type":"access","nbf":"9000-01-01T00:00:00.2Z","exp":"9000-01-01T00:00:00.4Z"}`, "token_not_yet_valid"},
		{"type that is none", `{"type":"a b","exp":"2100-01-01T00:00:00Z"}`, "type_mismatch"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			d := &dir{t: t, path: d.path}
			v := d.runWith(sign(test.claims), "inspect --json --key DIR/pair").decode()
			refusal, _ := v["refusal"].(map[string]any)
			if v["verified"] != true || v["claims"] == nil || refusal["code"] != test.want {
				t.Errorf("inspect says %v", v)
			}
		})
	}
	for claims, want := range map[string]string{
		`{"exp":1}`: "claims_invalid",
		`{"nbf":"2020-01-02T00:00:00Z","exp":"2020-01-01T00:00:00Z"}`: "token_expired", // valid at no time
	} {
		v := d.runWith(sign(claims), "inspect --json --key DIR/pair").decode()
		if refusal, _ := v["refusal"].(map[string]any); v["verified"] != false || refusal["code"] != want {
			t.Errorf("inspect says %v", v)
		}
	}
}

func TestInspectFailures(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, args, token string
		status            int
		want              string
	}{
		{"nothing", "", "", 1, "token_malformed: Invalid PASETO format (expected version.purpose.payload or version.purpose.payload.footer)"},
		{"dots", "", strings.Repeat(".", 1000), 1, "token_malformed: …"},
		{"unknown version", "", "v1.local.AAAA", 1, "token_malformed: Invalid PASETO format (expected a token of version v2, v3 or v4 and purpose local or public)"},
		{"payload", "", "v4.local.!", 1, "token_malformed: Invalid PASETO format (the payload is damaged)"},
		{"short", "", "v4.local.AAAA", 1, "token_malformed: Invalid PASETO format (the payload is damaged)"},
		{"footer", "", "v4.public." + b64(strings.Repeat("x", 70)) + ".!", 1, "token_malformed: Invalid PASETO format (the footer is damaged)"},
		{"a scheme before it", "", "Bearer v4.local.AAAA", 1, "token_malformed: Invalid PASETO format (a scheme, such as Bearer, was left before the token; give the token alone)"},
		{"a scheme before it, key", "--key DIR/zero", "bearer\tdjQubG9jYWwu", 1, "token_malformed: Invalid PASETO format (a scheme, such as Bearer, was left before the token; give the token alone)"},
		{"too long", "", strings.Repeat("x", 1<<20+1), 1, "standard input has more than 1048576 bytes"},
		{"no such key", "--key DIR/none", "x", 1, "open DIR/none: no such file or directory"},
		{"no such implicit assertion", "--implicit-file DIR/none", "x", 1, "open DIR/none: no such file or directory"},
		{"key as value", "--key " + zeroKey, "x", 2, "the key must not stand on the command line, where others can see it: give the name of its file, or - and the key on standard input"},
		{"key and token", "--key -", zeroKey, 2, "standard input gives the key already, and cannot give the token as well: use a file for one of them"},
		{"configuration and key", "--config x.yaml --key DIR/zero", "", 2, "give --config or --key, not both"},
		{"no such configuration", "--config x.yaml", "", 1, "x.yaml: …"},
		{"configuration without a key", "--config DIR/empty.yaml", "", 1, "token.keys: is empty; …"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			d := &dir{t: t, path: t.TempDir()}
			d.write("zero", zeroKey)
			d.write("empty.yaml", "token: {}")
			d.runWith(test.token, "inspect "+test.args).want(test.status, "", "pasetokit: "+test.want+"\n")
		})
	}
}

// sign returns a v4.public token of the key pair with any claims.
func sign(claims string) string {
	return testtoken.Sign(must2(paseto.ParseKey(pairKey)), claims, "", "")
}

// TestJSONControlsNoTerminal: what a token says is the sender's to write, and a
// terminal obeys control characters.
func TestJSONControlsNoTerminal(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := writeJSON(&out, map[string]string{"sub": "x\u009b31m\u007f\U0001f600"}); err != nil {
		t.Fatal(err)
	}
	if got, want := out.String(), `{"sub":"x\u009b31m\u007f`+"\U0001f600"+`"}`+"\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
