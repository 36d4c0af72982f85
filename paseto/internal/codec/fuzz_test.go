package codec_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	gopaseto "aidanwoods.dev/go-paseto"

	"github.com/pasetokit/pasetokit/paseto/internal/codec"
)

// peers are the keys of the vectors as go-paseto holds them.
type peers struct {
	local  gopaseto.V4SymmetricKey
	public gopaseto.V4AsymmetricPublicKey
	parser gopaseto.Parser
}

// fuzzKeys returns the keys that most vectors share, here and at the peer.
func fuzzKeys(t testing.TB) (codec.Sealer, codec.Sealer, peers) {
	t.Helper()
	var local, secret string
	for _, v := range vectors(t, codec.V4) {
		if v.ExpectFail {
			continue
		}
		if v.Key != "" {
			local = v.Key
		} else {
			secret = v.SecretKey
		}
	}
	peerLocal, err := gopaseto.V4SymmetricKeyFromHex(local)
	if err != nil {
		t.Fatal(err)
	}
	peerSecret, err := gopaseto.NewV4AsymmetricSecretKeyFromHex(secret)
	if err != nil {
		t.Fatal(err)
	}
	return localKey(t, unhex(t, local)), secretKey(t, unhex(t, secret)),
		peers{peerLocal, peerSecret.Public(), gopaseto.NewParserWithoutExpiryCheck()}
}

func (p peers) accepts(purpose, token string, implicit []byte) bool {
	var err error
	if purpose == codec.Local {
		_, err = p.parser.ParseV4Local(p.local, token, implicit)
	} else {
		_, err = p.parser.ParseV4Public(p.public, token, implicit)
	}
	return err == nil
}

// FuzzOpen checks that what go-paseto accepts is accepted here and the other
// way round. Two differences are meant: a trailing dot is refused here, and
// what the claims say is not looked at.
func FuzzOpen(f *testing.F) {
	local, secret, peer := fuzzKeys(f)
	for _, v := range vectors(f, codec.V4) {
		f.Add(v.Token, []byte(v.Implicit))
		f.Add(v.Token+".", []byte(v.Implicit))
		f.Add(v.Token+"=", []byte(v.Implicit))
		f.Add(v.Token+"\n", []byte(v.Implicit))
	}
	f.Add("", []byte(nil))
	f.Add("v4.local.", []byte(nil))
	f.Add("v4.public."+strings.Repeat("A", 86), []byte(nil))
	f.Fuzz(func(t *testing.T, token string, implicit []byte) {
		for purpose, key := range map[string]codec.Sealer{codec.Local: local, codec.Public: secret} {
			claims, _, err := open(key, "v4."+purpose, token, string(implicit))
			peer := peer.accepts(purpose, token, implicit)
			if peer && err != nil && !strings.HasSuffix(token, ".") {
				t.Errorf("%s: go-paseto accepts %q, here it is refused: %v", purpose, token, err)
			}
			if !peer && err == nil && isObject(claims) {
				t.Errorf("%s: go-paseto refuses %q, here it opens to %s", purpose, token, claims)
			}
		}
	})
}

// FuzzSeal checks that a sealed token opens here and at go-paseto with its
// footer and implicit assertion, and with no other.
func FuzzSeal(f *testing.F) {
	local, secret, peer := fuzzKeys(f)
	f.Add([]byte(`{}`), []byte(nil), []byte(nil))
	f.Add([]byte(`{"a":{"b":[1,null]}}`), []byte(`{"kid":"1"}`), []byte("implicit"))
	f.Add([]byte(`{"a":1,"a":2}`), []byte{0, 255}, []byte{0})
	f.Fuzz(func(t *testing.T, claims, footer, implicit []byte) {
		for purpose, key := range map[string]codec.Sealer{codec.Local: local, codec.Public: secret} {
			token, err := key.Seal(claims, footer, implicit)
			if err != nil {
				continue
			}
			opened, openedFooter, err := open(key, "v4."+purpose, token, string(implicit))
			if err != nil {
				t.Fatalf("%s: %s does not open: %v", purpose, token, err)
			}
			if !isObject(opened) || !bytes.Equal(openedFooter, footer) {
				t.Errorf("%s: opens to %q with footer %q, sealed were %q and %q", purpose, opened, openedFooter, claims, footer)
			}
			if !peer.accepts(purpose, token, implicit) {
				t.Errorf("%s: go-paseto refuses %s", purpose, token)
			}
			if _, _, err := open(key, "v4."+purpose, token, string(implicit)+"x"); err == nil {
				t.Errorf("%s: %s opens with another implicit assertion", purpose, token)
			}
		}
	})
}

// isObject reports whether go-paseto takes data for claims.
func isObject(data []byte) bool {
	var members map[string]json.RawMessage
	return json.Unmarshal(data, &members) == nil
}
