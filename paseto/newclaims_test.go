package paseto_test

import (
	"errors"
	"maps"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/paseto"
)

// TestClaimsByHand compares claims that were made without a token with those of a
// token that says the same: fields, own claims and footer.
func TestClaimsByHand(t *testing.T) {
	t.Parallel()
	auth, err := paseto.New(paseto.Config{Keys: []paseto.Key{paseto.NewLocalKey()}, OmitKeyID: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name      string
		tokenType string
		grant     paseto.Grant
	}{
		{"own claims", "access", paseto.Grant{Subject: "alice", Claims: map[string]any{"team": "red", "level": 3}}},
		{"a struct", "access", paseto.Grant{Subject: "alice", Claims: struct {
			Team string `json:"team"`
		}{"red"}}},
		{"everything", "access", paseto.Grant{
			Subject: "42", Session: "s", Issuer: "iss", Audience: []string{"a", "b"}, Fresh: true,
			Scopes: []string{"read", "write"}, AuthTime: time.Now(), Footer: map[string]string{"tenant": "t"},
		}},
		{"one audience", "access", paseto.Grant{Audience: []string{"a"}}},
		{"a type of one's own", "email-verify", paseto.Grant{Subject: "alice"}},
		{"no expiry, nobody", "access", paseto.Grant{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			issued, err := auth.Issue(test.tokenType, test.grant)
			if err != nil {
				t.Fatal(err)
			}
			want, err := auth.Verify(t.Context(), issued.Token.Reveal(), paseto.Requirement{Type: test.tokenType})
			if err != nil {
				t.Fatal(err)
			}
			literal := paseto.Claims{
				ID: want.ID, Type: want.Type, Subject: want.Subject, Session: want.Session, Issuer: want.Issuer,
				Audience: want.Audience, AuthTime: want.AuthTime, IssuedAt: want.IssuedAt, NotBefore: want.NotBefore,
				ExpiresAt: want.ExpiresAt, Fresh: want.Fresh, Scopes: want.Scopes, Version: want.Version,
				Purpose: want.Purpose, Footer: want.Footer,
			}
			made, err := paseto.NewClaims(literal, test.grant.Claims)
			if err != nil {
				t.Fatal(err)
			}
			got := paseto.FromContext(paseto.NewContext(t.Context(), made))
			var decoded, wanted map[string]any
			if err := errors.Join(got.Decode(&decoded), want.Decode(&wanted)); err != nil || !reflect.DeepEqual(decoded, wanted) {
				t.Errorf("Decode gives %v, %v; want %v", decoded, err, wanted)
			}
			if g, w := exported(got), exported(want); !reflect.DeepEqual(g, w) {
				t.Errorf("the fields are\n%v, want\n%v", g, w)
			}
			// Without own claims, the literal itself decodes.
			decoded = nil
			maps.DeleteFunc(wanted, func(name string, _ any) bool { return name == "team" || name == "level" })
			if err := literal.Decode(&decoded); err != nil || !reflect.DeepEqual(decoded, wanted) {
				t.Errorf("Decode of the literal gives %v, %v; want %v", decoded, err, wanted)
			}
		})
	}
}

// exported returns the fields of claims that a program can read.
func exported(c *paseto.Claims) map[string]any {
	fields := make(map[string]any)
	for field, value := range reflect.ValueOf(*c).Fields() {
		if field.IsExported() {
			fields[field.Name] = value.Interface()
		}
	}
	return fields
}

// TestClaimsOfNoToken are refused, with what is wrong with them.
func TestClaimsOfNoToken(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		claims paseto.Claims
		custom any
		want   string
	}{
		{"a reserved name", paseto.Claims{}, map[string]any{"sub": "bob"}, `"sub" is reserved`},
		{"no object", paseto.Claims{}, []int{1}, "Claims"},
		{"a scope with a space", paseto.Claims{Scopes: []string{"a b"}}, nil, "not a scope"},
		{"a subject that no store holds", paseto.Claims{Subject: strings.Repeat("a", 1<<16)}, nil, "claim sub"},
		{"a subject that is not UTF-8", paseto.Claims{Subject: "\xff"}, nil, "not valid UTF-8"},
		{"a year that RFC 3339 lacks", paseto.Claims{ExpiresAt: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)}, nil, "claim exp"},
	} {
		if _, err := paseto.NewClaims(test.claims, test.custom); !errors.Is(err, paseto.ErrGrant) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want an ErrGrant that says %q", test.name, err, test.want)
		}
	}
}
