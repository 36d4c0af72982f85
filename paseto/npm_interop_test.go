package paseto_test

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/internal/nodeclient"
	"github.com/pasetokit/pasetokit/paseto"
)

// npmPeer is what a package from npm has of one version and purpose.
type npmPeer struct {
	library string
	version paseto.Version
	purpose paseto.Purpose
	refusal string // of a token that the key did not make
}

// npmPeers make and open tokens. The package paseto has no tokens of v4.local,
// only its keys; paseto-ts has version 4 alone.
var npmPeers = []npmPeer{
	{"paseto", paseto.V3, paseto.Local, "Token authentication failed"},
	{"paseto", paseto.V3, paseto.Public, "Token signature verification failed"},
	{"paseto", paseto.V4, paseto.Public, "Token signature verification failed"},
	{"paseto-ts", paseto.V4, paseto.Local, "Decryption failed: invalid authentication tag"},
	{"paseto-ts", paseto.V4, paseto.Public, "Invalid token signature"},
}

func (p npmPeer) String() string { return fmt.Sprintf("%s %s.%s", p.library, p.version, p.purpose) }

// try returns the answer of the package, which may be an error.
func (p npmPeer) try(t testing.TB, tokens *nodeclient.Tokens, request nodeclient.TokenRequest) (nodeclient.TokenAnswer, error) {
	t.Helper()
	request.Library, request.Version, request.Purpose = p.library, string(p.version), string(p.purpose)
	answer := tokens.Ask(t, request)
	if answer.Error != "" {
		return nodeclient.TokenAnswer{}, errors.New(answer.Error)
	}
	return answer, nil
}

func (p npmPeer) ask(t testing.TB, tokens *nodeclient.Tokens, request nodeclient.TokenRequest) nodeclient.TokenAnswer {
	t.Helper()
	answer, err := p.try(t, tokens, request)
	if err != nil {
		t.Fatalf("%s cannot %s: %v", p, request.Op, err)
	}
	return answer
}

// npmKey is a key that both ends hold. For purpose public sealing is the pair
// and opening its public half, so that no end opens with more than that.
type npmKey struct{ sealing, opening paseto.Key }

// ourKey returns a key made here.
func (p npmPeer) ourKey() npmKey {
	key := must(paseto.NewKey(p.version, p.purpose))
	if p.purpose == paseto.Local {
		return npmKey{key, key}
	}
	return npmKey{key, must(key.PublicKey())}
}

// theirKey returns a key made by the package. Its public half is the one that
// the package gives, not the one that is computed here.
func (p npmPeer) theirKey(t testing.TB, tokens *nodeclient.Tokens) npmKey {
	t.Helper()
	answer := p.ask(t, tokens, nodeclient.TokenRequest{Op: "generate"})
	return npmKey{must(paseto.ParseKey(answer.Key)), must(paseto.ParseKey(cmp.Or(answer.PublicKey, answer.Key)))}
}

// npmFooter is a footer, and whether it has the kid, as it has here unless
// Config.OmitKeyID is set.
type npmFooter struct {
	name  string
	kid   bool
	value any // nil, a string or a map[string]any
}

var npmFooters = []npmFooter{
	{"no footer", false, nil},
	{"kid", true, nil},
	{"text", false, "Zelle 7: grüße"},
	{"JSON", false, map[string]any{"cell": "<7>", "floors": []any{1.0, 2.0}}},
	{"JSON with kid", true, map[string]any{"cell": "<7>"}},
}

// with returns the whole footer of a token of the key; an empty string for
// none, as the packages have it.
func (f npmFooter) with(key paseto.Key) any {
	if f.value == nil && !f.kid {
		return ""
	}
	if !f.kid {
		return f.value
	}
	members := map[string]any{"kid": key.KeyID()}
	if own, ok := f.value.(map[string]any); ok {
		maps.Copy(members, own)
	}
	return members
}

// npmToken is a token and what was sealed in it, or opened from it.
type npmToken struct {
	text   string
	claims map[string]any
	footer any // a string or a map[string]any
}

// npmEnd is where tokens are made and opened: here, or in a package.
type npmEnd interface {
	seal(t testing.TB, key npmKey, footer npmFooter, implicit string) npmToken
	open(t testing.TB, key npmKey, token, implicit string) (npmToken, error)
	// checkRefused checks that err says that the key did not make the token,
	// and not that something else is wrong with it.
	checkRefused(t testing.TB, err error)
}

// npmOwnClaims are a program's own, of every JSON type, with characters that
// encoders write in different ways.
func npmOwnClaims() map[string]any {
	return map[string]any{
		"name": "Grüße, <b>\u2028&\U0001F511", "level": 7.0, "ratio": -1.5e-7, "admin": false, "none": nil,
		"rooms": []any{"red", 2.0, []any{}}, "nested": map[string]any{"a": map[string]any{"b": "c"}},
	}
}

type npmHere struct{ npmPeer }

func (h npmHere) String() string { return "here" }

// authorizer returns one that runs on the time of day: the packages tell the
// time by no other clock.
func (h npmHere) authorizer(t testing.TB, key paseto.Key, omitKeyID bool) *paseto.Authorizer {
	t.Helper()
	cfg := paseto.Config{Version: h.version, Purpose: h.purpose, Keys: []paseto.Key{key}, OmitKeyID: omitKeyID}
	return newAuthorizer(t, cfg, paseto.WithClock(time.Now))
}

func (h npmHere) seal(t testing.TB, key npmKey, footer npmFooter, implicit string) npmToken {
	t.Helper()
	issued := issueAccess(t, h.authorizer(t, key.sealing, !footer.kid), paseto.Grant{
		Subject: "alice", Session: "s1", Issuer: "here", Audience: []string{"there"}, Scopes: []string{"read", "write"},
		Claims: npmOwnClaims(), Footer: footer.value, Implicit: []byte(implicit),
	})
	token := npmToken{text: issued.Token.Reveal(), footer: footer.with(key.sealing)}
	if err := issued.Claims.Decode(&token.claims); err != nil {
		t.Fatal(err)
	}
	return token
}

func (h npmHere) open(t testing.TB, key npmKey, token, implicit string) (npmToken, error) {
	t.Helper()
	auth := h.authorizer(t, key.opening, false)
	claims, err := auth.Verify(t.Context(), token, paseto.Requirement{Implicit: []byte(implicit)})
	if err != nil {
		return npmToken{}, err
	}
	opened := npmToken{text: token, footer: string(claims.Footer)}
	if err := claims.Decode(&opened.claims); err != nil {
		t.Fatal(err)
	}
	var members map[string]any
	if json.Unmarshal(claims.Footer, &members) == nil {
		opened.footer = members
	}
	return opened, nil
}

func (h npmHere) checkRefused(t testing.TB, err error) {
	t.Helper()
	if h.purpose == paseto.Local {
		checkRefused(t, err, paseto.ErrDecrypt, "")
	} else {
		checkRefused(t, err, paseto.ErrSignature, "")
	}
}

type npmThere struct {
	npmPeer
	tokens *nodeclient.Tokens
}

func (h npmThere) String() string { return "there" }

func (h npmThere) seal(t testing.TB, key npmKey, footer npmFooter, implicit string) npmToken {
	t.Helper()
	now := time.Now().UTC()
	claims := npmOwnClaims()
	maps.Copy(claims, map[string]any{
		"jti": "t1", "type": "access", "sub": "alice", "iss": "there", "aud": "here", "scope": "read write",
		"iat": now.Format(time.RFC3339), "exp": now.Add(time.Hour).Format(time.RFC3339),
	})
	token := npmToken{claims: claims, footer: footer.with(key.sealing)}
	request := nodeclient.TokenRequest{Op: "make", Key: key.sealing.Export(), Claims: claims, Implicit: implicit}
	if token.footer != "" { // without a footer nothing is said of one
		request.Footer = token.footer
	}
	token.text = h.ask(t, h.tokens, request).Token
	return token
}

func (h npmThere) open(t testing.TB, key npmKey, token, implicit string) (npmToken, error) {
	t.Helper()
	answer, err := h.try(t, h.tokens, nodeclient.TokenRequest{Op: "open", Key: key.opening.Export(), Token: token, Implicit: implicit})
	return npmToken{token, answer.Claims, answer.Footer}, err
}

func (h npmThere) checkRefused(t testing.TB, err error) {
	t.Helper()
	if err == nil || err.Error() != h.refusal {
		t.Errorf("error is %v, want %s", err, h.refusal)
	}
}

// checkOpens checks that a token opens at an end to what was sealed.
func (k npmKey) checkOpens(t testing.TB, end npmEnd, sealed npmToken, implicit string) {
	t.Helper()
	opened, err := end.open(t, k, sealed.text, implicit)
	if err != nil {
		t.Fatalf("the token is refused: %v", err)
	}
	if !reflect.DeepEqual(opened.claims, sealed.claims) {
		t.Errorf("opened claims are %v, sealed were %v", opened.claims, sealed.claims)
	}
	if !reflect.DeepEqual(opened.footer, sealed.footer) {
		t.Errorf("opened footer is %v, sealed was %v", opened.footer, sealed.footer)
	}
}

// npmImplicit is an implicit assertion that is more than ASCII.
const npmImplicit = "Zelle 7: grüße"

// TestNPMTokens makes tokens here and opens them with the packages, and the
// other way round.
func TestNPMTokens(t *testing.T) {
	t.Parallel()
	tokens := nodeclient.StartTokens(t)
	for _, peer := range npmPeers {
		here, there := npmHere{peer}, npmThere{peer, tokens}
		for owner, key := range map[string]npmKey{"our key": peer.ourKey(), "their key": peer.theirKey(t, tokens)} {
			for _, footer := range npmFooters {
				for name, implicit := range map[string]string{"no implicit": "", "implicit": npmImplicit} {
					for _, ends := range [][2]npmEnd{{here, there}, {there, here}} {
						t.Run(fmt.Sprintf("%s/%s/%s/%s/made %s", peer, owner, footer.name, name, ends[0]), func(t *testing.T) {
							t.Parallel()
							sealed := ends[0].seal(t, key, footer, implicit)
							key.checkOpens(t, ends[1], sealed, implicit)
						})
					}
				}
			}
		}
	}
}

// TestNPMKeys has PASERK made there read here, and the other way round.
func TestNPMKeys(t *testing.T) {
	t.Parallel()
	tokens := nodeclient.StartTokens(t)
	for _, peer := range append([]npmPeer{{library: "paseto", version: paseto.V4, purpose: paseto.Local}}, npmPeers...) {
		t.Run(peer.String()+"/made there", func(t *testing.T) {
			t.Parallel()
			answer := peer.ask(t, tokens, nodeclient.TokenRequest{Op: "generate"})
			key, err := paseto.ParseKey(answer.Key)
			if err != nil {
				t.Fatal(err)
			}
			if key.Version() != peer.version || key.Purpose() != peer.purpose || !key.CanIssue() {
				t.Errorf("read is a %s", key)
			}
			peer.checkKey(t, answer, key)
		})
		if peer.library == "paseto-ts" {
			continue // takes keys, as TestNPMTokens shows, and cannot print them again
		}
		t.Run(peer.String()+"/made here", func(t *testing.T) {
			t.Parallel()
			key := peer.ourKey().sealing
			peer.checkKey(t, peer.ask(t, tokens, nodeclient.TokenRequest{Op: "read", Key: key.Export()}), key)
		})
	}
}

// checkKey checks that what the package prints of a key is what is printed of
// it here.
func (p npmPeer) checkKey(t testing.TB, answer nodeclient.TokenAnswer, key paseto.Key) {
	t.Helper()
	want := nodeclient.TokenAnswer{Key: key.Export()}
	var half paseto.Key // stays the zero Key, which prints as nothing, for purpose local
	if p.purpose == paseto.Public {
		half = must(key.PublicKey())
		read, err := paseto.ParseKey(answer.PublicKey)
		if err != nil {
			t.Fatal(err)
		}
		if !read.Equal(half) || read.CanIssue() {
			t.Errorf("read for the public half is a %s %s, want %s", read, read.ID(), half.ID())
		}
	}
	want.PublicKey = half.Export()
	if p.version == paseto.V3 { // the identifiers of version 4 are made by neither package
		want.ID, want.PublicID = key.ID(), half.ID()
	}
	if !reflect.DeepEqual(answer, want) {
		t.Errorf("there the key is %+v, here %+v", answer, want)
	}
}

// flip returns a change of one bit of a token: in the byte at an index, from
// the end if negative, of one of the parts between the dots.
func flip(part, at int) func(token string) string {
	return func(token string) string {
		parts := strings.Split(token, ".")
		raw := must(base64.RawURLEncoding.DecodeString(parts[part]))
		raw[(at+len(raw))%len(raw)] ^= 1
		parts[part] = base64.RawURLEncoding.EncodeToString(raw)
		return strings.Join(parts, ".")
	}
}

// TestNPMRefusals checks that each end refuses what the other does, whoever
// made the token.
func TestNPMRefusals(t *testing.T) {
	t.Parallel()
	tokens := nodeclient.StartTokens(t)
	same := func(token string) string { return token }
	for _, peer := range npmPeers {
		ends := []npmEnd{npmHere{peer}, npmThere{peer, tokens}}
		key, other := peer.ourKey(), peer.theirKey(t, tokens)
		for _, test := range []struct {
			name     string
			change   func(token string) string
			implicit string
			key      npmKey
		}{
			{"first byte changed", flip(2, 0), npmImplicit, key},
			{"last byte changed", flip(2, -1), npmImplicit, key},
			{"footer changed", flip(3, 0), npmImplicit, key},
			{"footer removed", bare, npmImplicit, key},
			{"wrong implicit", same, npmImplicit + "!", key},
			{"missing implicit", same, "", key},
			{"wrong key", same, npmImplicit, other},
			{"unchanged", same, npmImplicit, key}, // or the others would show nothing
		} {
			for _, maker := range ends {
				for _, opener := range ends {
					t.Run(fmt.Sprintf("%s/made %s/opened %s/%s", peer, maker, opener, test.name), func(t *testing.T) {
						t.Parallel()
						// A footer of text names no key, and every key is tried.
						sealed := maker.seal(t, key, npmFooter{"text", false, "Zelle 7"}, npmImplicit)
						if test.name == "unchanged" {
							test.key.checkOpens(t, opener, sealed, test.implicit)
							return
						}
						_, err := opener.open(t, test.key, test.change(sealed.text), test.implicit)
						opener.checkRefused(t, err)
					})
				}
			}
		}
	}
}

// TestNPMTimes reads the iat and exp that the packages add to claims without
// them: one to the second, the other with a fraction.
func TestNPMTimes(t *testing.T) {
	t.Parallel()
	tokens := nodeclient.StartTokens(t)
	for _, peer := range npmPeers {
		t.Run(peer.String(), func(t *testing.T) {
			t.Parallel()
			key := peer.theirKey(t, tokens)
			before := time.Now().Truncate(time.Second)
			token := peer.ask(t, tokens, nodeclient.TokenRequest{
				Op: "make", Key: key.sealing.Export(), Claims: map[string]any{"type": "access"},
			}).Token
			claims := verify(t, npmHere{peer}.authorizer(t, key.opening, false), token, paseto.Requirement{})
			after := time.Now()
			for name, got := range map[string]time.Time{"iat": claims.IssuedAt, "exp": claims.ExpiresAt.Add(-time.Hour)} {
				if got.Before(before) || got.After(after) {
					t.Errorf("%s says that the token was made at %s, made it was between %s and %s", name, got, before, after)
				}
			}
		})
	}
}
