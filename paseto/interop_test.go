package paseto_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"testing"
	"time"

	gopaseto "aidanwoods.dev/go-paseto"

	"github.com/pasetokit/pasetokit/paseto"
)

// peer is go-paseto with the key of a vector.
type peer struct {
	open func(token string, implicit []byte) (*gopaseto.Token, error)
	seal func(token gopaseto.Token, implicit []byte) string
}

// peer returns go-paseto with the vector's key.
func (v vector) peer() peer {
	parser := gopaseto.NewParserWithoutExpiryCheck()
	kind := string(v.version) + ".local"
	if v.Key == "" {
		kind = string(v.version) + ".public"
	}
	switch kind {
	case "v2.local":
		key := must(gopaseto.V2SymmetricKeyFromHex(v.Key))
		return peer{
			func(token string, _ []byte) (*gopaseto.Token, error) { return parser.ParseV2Local(key, token) },
			func(token gopaseto.Token, _ []byte) string { return token.V2Encrypt(key) },
		}
	case "v2.public":
		key := must(gopaseto.NewV2AsymmetricSecretKeyFromHex(v.SecretKey))
		return peer{
			func(token string, _ []byte) (*gopaseto.Token, error) {
				return parser.ParseV2Public(key.Public(), token)
			},
			func(token gopaseto.Token, _ []byte) string { return token.V2Sign(key) },
		}
	case "v3.local":
		key := must(gopaseto.V3SymmetricKeyFromHex(v.Key))
		return peer{
			func(token string, implicit []byte) (*gopaseto.Token, error) {
				return parser.ParseV3Local(key, token, implicit)
			},
			func(token gopaseto.Token, implicit []byte) string { return token.V3Encrypt(key, implicit) },
		}
	case "v3.public":
		key := must(gopaseto.NewV3AsymmetricSecretKeyFromHex(v.SecretKey))
		return peer{
			func(token string, implicit []byte) (*gopaseto.Token, error) {
				return parser.ParseV3Public(key.Public(), token, implicit)
			},
			func(token gopaseto.Token, implicit []byte) string { return token.V3Sign(key, implicit) },
		}
	case "v4.local":
		key := must(gopaseto.V4SymmetricKeyFromHex(v.Key))
		return peer{
			func(token string, implicit []byte) (*gopaseto.Token, error) {
				return parser.ParseV4Local(key, token, implicit)
			},
			func(token gopaseto.Token, implicit []byte) string { return token.V4Encrypt(key, implicit) },
		}
	}
	key := must(gopaseto.NewV4AsymmetricSecretKeyFromHex(v.SecretKey))
	return peer{
		func(token string, implicit []byte) (*gopaseto.Token, error) {
			return parser.ParseV4Public(key.Public(), token, implicit)
		},
		func(token gopaseto.Token, implicit []byte) string { return token.V4Sign(key, implicit) },
	}
}

// TestInterop issues the vectors' claims here and opens them with go-paseto,
// and the other way round.
func TestInterop(t *testing.T) {
	t.Parallel()
	now := func() time.Time { return time.Date(2021, 12, 31, 0, 0, 0, 0, time.UTC) }
	for _, v := range vectors(t) {
		if v.ExpectFail {
			continue
		}
		t.Run(v.Name, func(t *testing.T) {
			t.Parallel()
			key, peer := v.keys(t)[0], v.peer()
			auth := newAuthorizer(t, paseto.Config{Keys: []paseto.Key{key}, Version: v.version}, paseto.WithClock(now))
			var claims map[string]any
			if err := json.Unmarshal([]byte(v.Payload), &claims); err != nil {
				t.Fatal(err)
			}
			data := claims["data"]
			delete(claims, "exp")
			issued := issueAccess(t, auth, paseto.Grant{
				Subject: "alice", Claims: claims, ExpiresAt: time.Date(2022, 1, 1, 0, 0, 0, 0, time.UTC),
				Purpose: key.Purpose(), Footer: v.Footer, Implicit: []byte(v.Implicit),
			})

			theirs, err := peer.open(issued.Token.Reveal(), []byte(v.Implicit))
			if err != nil {
				t.Fatal(err)
			}
			var ours map[string]any
			if err := issued.Claims.Decode(&ours); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(theirs.Claims(), ours) || string(theirs.Footer()) != v.Footer {
				t.Errorf("go-paseto reads %v with footer %s, issued were %v with %s", theirs.Claims(), theirs.Footer(), ours, v.Footer)
			}
			if expiry, err := theirs.GetExpiration(); err != nil || !expiry.Equal(issued.Claims.ExpiresAt) {
				t.Errorf("go-paseto reads the expiry %s (error %v)", expiry, err)
			}

			made := gopaseto.NewToken()
			made.SetString("type", "access")
			made.SetSubject("alice")
			made.SetExpiration(now().Add(time.Minute))
			made.SetString("data", fmt.Sprint(data))
			made.SetFooter([]byte(v.Footer))
			token := peer.seal(made, []byte(v.Implicit))
			opened := verify(t, auth, token, paseto.Requirement{Implicit: []byte(v.Implicit)})
			var mine struct{ Data string }
			if err := opened.Decode(&mine); err != nil || mine.Data != data || opened.Subject != "alice" || string(opened.Footer) != v.Footer {
				t.Errorf("opened %s", says(t, opened))
			}
		})
	}
}
