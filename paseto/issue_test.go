package paseto_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/paseto"
)

func TestIssueWritesClaims(t *testing.T) {
	t.Parallel()
	full := paseto.Grant{
		Subject: "alice", Fresh: true, Scopes: []string{"read", "write"}, Session: "s1",
		Claims: map[string]any{"name": "Alice", "level": 3},
	}
	cfg := paseto.Config{Issuer: "https://a", Audience: []string{"web", "app"}}
	for _, test := range []struct {
		name      string
		tokenType string
		cfg       paseto.Config
		grant     paseto.Grant
		want      map[string]any
	}{
		{"least access", paseto.TypeAccess, paseto.Config{}, paseto.Grant{}, map[string]any{
			"type": "access", "fresh": false, "exp": "2030-01-02T03:19:05Z",
		}},
		{"least refresh", paseto.TypeRefresh, paseto.Config{}, paseto.Grant{}, map[string]any{
			"type": "refresh", "exp": "2030-02-01T03:04:05Z",
		}},
		{"least of another type", "email-verify", paseto.Config{}, paseto.Grant{}, map[string]any{
			"type": "email-verify", "exp": "2030-02-01T03:04:05Z",
		}},
		{"full access", paseto.TypeAccess, cfg, full, map[string]any{
			"type": "access", "fresh": true, "exp": "2030-01-02T03:19:05Z",
			"sub": "alice", "sid": "s1", "scope": "read write", "iss": "https://a", "aud": []any{"web", "app"},
			"name": "Alice", "level": 3.0,
		}},
		{"full refresh is not fresh", paseto.TypeRefresh, cfg, full, map[string]any{
			"type": "refresh", "exp": "2030-02-01T03:04:05Z",
			"sub": "alice", "sid": "s1", "scope": "read write", "iss": "https://a", "aud": []any{"web", "app"},
			"name": "Alice", "level": 3.0,
		}},
		{"one audience is a string", paseto.TypeAccess, paseto.Config{Audience: []string{"web"}}, paseto.Grant{}, map[string]any{
			"type": "access", "fresh": false, "exp": "2030-01-02T03:19:05Z", "aud": "web",
		}},
		{"issuer and audience of the grant", paseto.TypeAccess, cfg, paseto.Grant{Issuer: "b", Audience: []string{"c"}}, map[string]any{
			"type": "access", "fresh": false, "exp": "2030-01-02T03:19:05Z", "iss": "b", "aud": "c",
		}},
		{"audience switched off by the grant", paseto.TypeAccess, cfg, paseto.Grant{Audience: []string{}}, map[string]any{
			"type": "access", "fresh": false, "exp": "2030-01-02T03:19:05Z", "iss": "https://a",
		}},
	} {
		for _, purpose := range []paseto.Purpose{paseto.Local, paseto.Public} {
			t.Run(test.name+" "+string(purpose), func(t *testing.T) {
				t.Parallel()
				cfg := test.cfg
				cfg.Purpose = purpose
				auth := newAuthorizer(t, cfg)
				issued, err := auth.Issue(test.tokenType, test.grant)
				if err != nil {
					t.Fatal(err)
				}
				if !strings.HasPrefix(issued.Token.Reveal(), "v4."+string(purpose)+".") {
					t.Errorf("token begins with %.12s", issued.Token.Reveal())
				}
				verified := verify(t, auth, issued.Token.Reveal(), paseto.Requirement{Type: test.tokenType})
				if got, want := says(t, verified), says(t, issued.Claims); got != want {
					t.Errorf("verified claims are %s,\nissued %s", got, want)
				}
				got := map[string]any{}
				if err := verified.Decode(&got); err != nil {
					t.Fatal(err)
				}
				if id, _ := got["jti"].(string); len(id) < 22 {
					t.Errorf("jti is %q, too short to be unique", got["jti"])
				}
				want := maps.Clone(test.want)
				if test.tokenType == paseto.TypeRefresh && test.grant.Session != "" {
					want["rot"] = fmt.Sprint("1.", got["jti"])
				}
				delete(got, "jti")
				want["iat"], want["nbf"] = "2030-01-02T03:04:05Z", "2030-01-02T03:04:05Z"
				if test.tokenType != "email-verify" {
					want["auth_time"] = "2030-01-02T03:04:05Z"
				}
				if !reflect.DeepEqual(got, want) {
					t.Errorf("claims are %v,\nwant %v", got, want)
				}
			})
		}
	}
}

func TestIssueLifetimes(t *testing.T) {
	t.Parallel()
	eternal := paseto.Config{AllowNoExpiry: true, MaxTTL: paseto.NoExpiry}
	for _, test := range []struct {
		name      string
		tokenType string
		cfg       paseto.Config
		grant     paseto.Grant
		want      time.Time
	}{
		{"configured access", "access", paseto.Config{AccessTTL: time.Minute}, paseto.Grant{}, issuedAt.Add(time.Minute)},
		{"configured refresh", "refresh", paseto.Config{RefreshTTL: time.Hour}, paseto.Grant{}, issuedAt.Add(time.Hour)},
		{"configured other", "other", paseto.Config{OtherTTL: 2 * time.Hour}, paseto.Grant{}, issuedAt.Add(2 * time.Hour)},
		{"of the grant", "access", paseto.Config{}, paseto.Grant{TTL: time.Hour}, issuedAt.Add(time.Hour)},
		{"whole seconds", "access", paseto.Config{}, paseto.Grant{TTL: 1999 * time.Millisecond}, issuedAt.Add(time.Second)},
		{"as long as the longest", "access", paseto.Config{}, paseto.Grant{TTL: 30 * 24 * time.Hour}, issuedAt.Add(30 * 24 * time.Hour)},
		{"a time", "access", paseto.Config{}, paseto.Grant{ExpiresAt: start.Add(time.Hour)}, issuedAt.Add(time.Hour)},
		{"a time elsewhere", "access", paseto.Config{}, paseto.Grant{ExpiresAt: start.Add(time.Hour).In(time.FixedZone("", 3600))}, issuedAt.Add(time.Hour)},
		{
			"a time centuries ahead", "access", paseto.Config{MaxTTL: paseto.NoExpiry},
			paseto.Grant{ExpiresAt: time.Date(2500, 1, 1, 0, 0, 0, 0, time.UTC)}, time.Date(2500, 1, 1, 0, 0, 0, 0, time.UTC),
		},
		{"none by the grant", "access", eternal, paseto.Grant{TTL: paseto.NoExpiry}, time.Time{}},
		{"none by configuration", "access", paseto.Config{AllowNoExpiry: true, AccessTTL: paseto.NoExpiry}, paseto.Grant{}, time.Time{}},
		{"some by the grant where none is configured", "access", paseto.Config{AllowNoExpiry: true, AccessTTL: paseto.NoExpiry}, paseto.Grant{TTL: time.Hour}, issuedAt.Add(time.Hour)},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			auth := newAuthorizer(t, test.cfg)
			issued, err := auth.Issue(test.tokenType, test.grant)
			if err != nil {
				t.Fatal(err)
			}
			if got := issued.Claims.ExpiresAt; !got.Equal(test.want) {
				t.Errorf("expires at %s, want %s", got, test.want)
			}
			verify(t, auth, issued.Token.Reveal(), paseto.Requirement{Type: test.tokenType})
		})
	}
}

func TestIssueNotBefore(t *testing.T) {
	t.Parallel()
	auth := newAuthorizer(t, paseto.Config{})
	issued := issueAccess(t, auth, paseto.Grant{NotBefore: start.Add(time.Minute)})
	if got, want := issued.Claims.NotBefore, issuedAt.Add(time.Minute); !got.Equal(want) {
		t.Errorf("valid from %s, want %s", got, want)
	}
	if !issued.Claims.IssuedAt.Equal(issuedAt) {
		t.Errorf("issued at %s, want %s", issued.Claims.IssuedAt, issuedAt)
	}
}

func TestIssueKindsOfClaims(t *testing.T) {
	t.Parallel()
	type profile struct {
		Name string `json:"name"`
	}
	auth := newAuthorizer(t, paseto.Config{})
	for _, test := range []struct {
		name   string
		claims any
		want   string
	}{
		{"none", nil, ""},
		{"nil map", map[string]any(nil), ""},
		{"nil pointer", (*profile)(nil), ""},
		{"empty map", map[string]string{}, ""},
		{"map", map[string]string{"name": "Alice"}, "Alice"},
		{"struct", profile{"Alice"}, "Alice"},
		{"pointer", &profile{"Alice"}, "Alice"},
		{"raw", json.RawMessage(` {"name": "Alice"} `), "Alice"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			issued := issueAccess(t, auth, paseto.Grant{Claims: test.claims})
			var got profile
			if err := verify(t, auth, issued.Token.Reveal(), paseto.Requirement{}).Decode(&got); err != nil {
				t.Fatal(err)
			}
			if got.Name != test.want {
				t.Errorf("name is %q, want %q", got.Name, test.want)
			}
		})
	}
}

func TestIssueFooter(t *testing.T) {
	t.Parallel()
	auth := newAuthorizer(t, paseto.Config{})
	silent := newAuthorizer(t, paseto.Config{OmitKeyID: true})
	object := struct {
		Tenant string `json:"tenant"`
	}{"t1"}
	kid := `"kid":"` + localKey.KeyID() + `"`
	for _, test := range []struct {
		name   string
		auth   *paseto.Authorizer
		footer any
		want   string
	}{
		{"none", auth, nil, "{" + kid + "}"},
		{"empty", auth, "", ""},
		{"bytes", auth, []byte{0, 1, 255}, "\x00\x01\xff"},
		{"string", auth, "not JSON", "not JSON"},
		{"string that is JSON", auth, `{"kid": "k1"}`, `{"kid": "k1"}`},
		{"object", auth, object, "{" + kid + `,"tenant":"t1"}`},
		{"map", auth, map[string]int{"a": 1}, `{"a":1,` + kid + "}"},
		{"empty map", auth, map[string]int{}, "{" + kid + "}"},
		{"raw object", auth, json.RawMessage(`{"z":[1, 2]}`), "{" + kid + `,"z":[1,2]}`},
		{"kid in other letters", auth, json.RawMessage(`{"KID":1}`), `{"KID":1,` + kid + "}"},
		{"list", auth, []int{1}, "[1]"},
		{"number", auth, 1, "1"},
		{"as long as allowed", auth, strings.Repeat("x", 2048), strings.Repeat("x", 2048)},
		{"none without kid", silent, nil, ""},
		{"object without kid", silent, object, `{"tenant":"t1"}`},
		{"map without kid", silent, map[string]int{"a": 1}, `{"a":1}`},
		{"string without kid", silent, "not JSON", "not JSON"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			issued := issueAccess(t, test.auth, paseto.Grant{Footer: test.footer})
			if got := verify(t, auth, issued.Token.Reveal(), paseto.Requirement{}).Footer; string(got) != test.want {
				t.Errorf("footer is %q, want %q", got, test.want)
			}
			if string(issued.Claims.Footer) != test.want {
				t.Errorf("issued footer is %q, want %q", issued.Claims.Footer, test.want)
			}
		})
	}
}

func TestIssueKeepsNoHoldOfTheFooter(t *testing.T) {
	t.Parallel()
	footer := []byte("footer")
	issued := issueAccess(t, newAuthorizer(t, paseto.Config{}), paseto.Grant{Footer: footer})
	clear(footer)
	if !bytes.Equal(issued.Claims.Footer, []byte("footer")) {
		t.Errorf("the claims changed with the caller's footer: %q", issued.Claims.Footer)
	}
}

func TestIssuePurposeImplicitAndBase64(t *testing.T) {
	t.Parallel()
	auth := newAuthorizer(t, paseto.Config{})
	for _, purpose := range []paseto.Purpose{paseto.Local, paseto.Public} {
		issued := issueAccess(t, auth, paseto.Grant{Purpose: purpose, Implicit: []byte("device"), Base64: true})
		if strings.Contains(issued.Token.Reveal(), ".") {
			t.Errorf("%s: the token is not wrapped: %s", purpose, issued.Token.Reveal())
		}
		claims := verify(t, auth, issued.Token.Reveal(), paseto.Requirement{Implicit: []byte("device"), Base64: true})
		if claims.Purpose != purpose || claims.Version != paseto.V4 || issued.Claims.Purpose != purpose {
			t.Errorf("claims are of %s.%s, want v4.%s", claims.Version, claims.Purpose, purpose)
		}
	}
}

func TestIssuePair(t *testing.T) {
	t.Parallel()
	auth := newAuthorizer(t, paseto.Config{})
	grant := paseto.Grant{
		Subject: "alice", Fresh: true, Scopes: []string{"a"}, Claims: map[string]int{"n": 1},
		TTL: time.Minute, RefreshTTL: time.Hour,
	}
	one, two := issuePair(t, auth, grant), issuePair(t, auth, grant)
	access := verify(t, auth, one.Access.Token.Reveal(), paseto.Requirement{Fresh: true})
	refresh := verify(t, auth, one.Refresh.Token.Reveal(), paseto.Requirement{Type: paseto.TypeRefresh})
	if access.Session == "" || access.Session != refresh.Session {
		t.Errorf("sessions are %q and %q, want the same", access.Session, refresh.Session)
	}
	if access.Session == two.Access.Claims.Session {
		t.Error("two logins share a session")
	}
	ids := []string{access.ID, refresh.ID, two.Access.Claims.ID, two.Refresh.Claims.ID}
	slices.Sort(ids)
	if len(slices.Compact(ids)) != 4 {
		t.Errorf("identifiers are %q, want four", ids)
	}
	if got := access.ExpiresAt.Sub(issuedAt); got != time.Minute {
		t.Errorf("the access token lives %s, want a minute", got)
	}
	if got := refresh.ExpiresAt.Sub(issuedAt); got != time.Hour {
		t.Errorf("the refresh token lives %s, want an hour", got)
	}
	if refresh.Subject != "alice" || !refresh.HasScopes("a") || refresh.Fresh {
		t.Errorf("the refresh token says %+v", refresh)
	}
	grant.Session = access.Session
	if got := issuePair(t, auth, grant); got.Refresh.Claims.Session != access.Session {
		t.Errorf("session is %q, want to join %q", got.Refresh.Claims.Session, access.Session)
	}
	grant.TTL, grant.ExpiresAt = 0, start.Add(2*time.Minute)
	if got := issuePair(t, auth, grant); !got.Refresh.Claims.ExpiresAt.Equal(issuedAt.Add(time.Hour)) {
		t.Errorf("the access token's time of expiry is also the refresh token's: %s", got.Refresh.Claims.ExpiresAt)
	}
}

func TestIssueEvents(t *testing.T) {
	t.Parallel()
	var seen events
	auth := newAuthorizer(t, paseto.Config{}, paseto.WithObserver(seen.observe))
	pair := issuePair(t, auth, paseto.Grant{})
	all := seen.take()
	if len(all) != 2 || all[0].Kind != paseto.EventIssued || all[0].Claims != pair.Access.Claims || all[1].Claims != pair.Refresh.Claims {
		t.Errorf("events are %v, want one for each token", all)
	}
}
