package paseto_test

import (
	"errors"
	"runtime"
	"strings"
	"testing"

	"github.com/pasetokit/pasetokit/paseto"
)

var purposes = []paseto.Purpose{paseto.Local, paseto.Public}

// keyOf returns the key of a version and purpose.
func keyOf(t testing.TB, version paseto.Version, purpose paseto.Purpose) paseto.Key {
	t.Helper()
	for _, key := range everyKey(t) {
		if key.Version() == version && key.Purpose() == purpose {
			return key
		}
	}
	t.Fatalf("there is no key of %s.%s", version, purpose)
	return paseto.Key{}
}

// TestVersions issues with each version and purpose, by configuration and per
// call, and verifies with every key there is and with the one alone.
func TestVersions(t *testing.T) {
	t.Parallel()
	for _, version := range versions {
		for _, purpose := range purposes {
			configured := newAuthorizer(t, paseto.Config{Keys: everyKey(t), Version: version, Purpose: purpose})
			asked := newAuthorizer(t, paseto.Config{Keys: everyKey(t)})
			alone := newAuthorizer(t, paseto.Config{Keys: []paseto.Key{keyOf(t, version, purpose)}})
			if !configured.CanIssue() {
				t.Errorf("%s.%s: nothing can be issued", version, purpose)
			}
			for name, pair := range map[string]paseto.Pair{
				"configured": issuePair(t, configured, paseto.Grant{Subject: "alice"}),
				"asked for":  issuePair(t, asked, paseto.Grant{Subject: "alice", Version: version, Purpose: purpose}),
			} {
				for _, issued := range []paseto.Issued{pair.Access, pair.Refresh} {
					if !strings.HasPrefix(issued.Token.Reveal(), string(version)+"."+string(purpose)+".") {
						t.Errorf("%s %s.%s: the token is %.10s…", name, version, purpose, issued.Token.Reveal())
					}
					for _, auth := range []*paseto.Authorizer{configured, asked, alone} {
						claims := verify(t, auth, issued.Token.Reveal(), paseto.Requirement{Type: issued.Claims.Type})
						if claims.Version != version || claims.Purpose != purpose || says(t, claims) != says(t, issued.Claims) {
							t.Errorf("%s %s.%s: verified is %s", name, version, purpose, says(t, claims))
						}
					}
				}
				next, err := asked.Refresh(t.Context(), pair.Refresh.Token.Reveal(), paseto.Requirement{})
				if err != nil || next.Access.Claims.Version != version || next.Refresh.Claims.Purpose != purpose {
					t.Errorf("%s %s.%s: refreshed is %v, error %v", name, version, purpose, next.Access.Claims, err)
				}
			}
		}
	}
}

// TestVersionsDoNotMix presents a token as one of another version or purpose,
// to an Authorizer that has keys of the same bytes for both.
func TestVersionsDoNotMix(t *testing.T) {
	t.Parallel()
	auth := newAuthorizer(t, paseto.Config{Keys: everyKey(t), OmitKeyID: true})
	for _, key := range everyKey(t) {
		token := issueAccess(t, auth, paseto.Grant{Version: key.Version(), Purpose: key.Purpose()}).Token.Reveal()
		body := token[strings.LastIndexByte(token, '.')+1:]
		for _, other := range everyKey(t) {
			if other.Equal(key) {
				continue
			}
			_, err := auth.Verify(t.Context(), string(other.Version())+"."+string(other.Purpose())+"."+body, paseto.Requirement{})
			want := paseto.ErrDecrypt
			if other.Purpose() == paseto.Public {
				want = paseto.ErrSignature
			}
			checkRefused(t, err, want, "")
		}
	}
}

// TestUnservedIsRefusedFirst has tokens whose payload cannot even be decoded:
// that they are refused for their version or purpose shows that nothing came
// before.
func TestUnservedIsRefusedFirst(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name     string
		keys     []paseto.Key
		header   string
		sentinel error
		message  string
	}{
		{"version 1", everyKey(t), "v1.local", paseto.ErrVersion, "Invalid PASETO version v1"},
		{"version 1, public", everyKey(t), "v1.public", paseto.ErrVersion, "Invalid PASETO version v1"},
		{"version 5", everyKey(t), "v5.local", paseto.ErrVersion, "Invalid PASETO version v5"},
		{"version 2 without a key", []paseto.Key{localKey, secretKey}, "v2.local", paseto.ErrVersion, "Invalid PASETO version v2"},
		{"version 3 without a key", []paseto.Key{localKey}, "v3.public", paseto.ErrVersion, "Invalid PASETO version v3"},
		{"version 4 without a key", []paseto.Key{keyOf(t, paseto.V3, paseto.Local)}, "v4.local", paseto.ErrVersion, "Invalid PASETO version v4"},
		{"public without a key", []paseto.Key{localKey}, "v4.public", paseto.ErrPurpose, "Invalid PASETO purpose public"},
		{
			"purpose of another version",
			[]paseto.Key{keyOf(t, paseto.V3, paseto.Local), secretKey}, "v3.public", paseto.ErrPurpose, "Invalid PASETO purpose public",
		},
		{"kind of key for a purpose", everyKey(t), "v4.secret", paseto.ErrPurpose, "Invalid PASETO purpose secret"},
		{"version of a key", everyKey(t), "k4.local", paseto.ErrVersion, "Invalid PASETO version k4"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			auth := newAuthorizer(t, paseto.Config{Keys: test.keys})
			for _, payload := range []string{"AAAA", strings.Repeat("%", 7000), "%.%"} {
				_, err := auth.Verify(t.Context(), test.header+"."+payload, paseto.Requirement{})
				checkRefused(t, err, test.sentinel, test.message)
			}
		})
	}
}

// TestRefusingUnservedIsCheap measures memory, so nothing may run beside it.
func TestRefusingUnservedIsCheap(t *testing.T) {
	auth := newAuthorizer(t, paseto.Config{Keys: []paseto.Key{localKey}})
	token := issueAccess(t, newAuthorizer(t, paseto.Config{Keys: everyKey(t)}), paseto.Grant{
		Version: paseto.V3, Purpose: paseto.Public, Claims: map[string]string{"x": strings.Repeat("x", 5000)},
	}).Token.Reveal()
	refuse := func() { _, _ = auth.Verify(t.Context(), token, paseto.Requirement{}) }
	if n := testing.AllocsPerRun(20, refuse); n > 10 {
		t.Errorf("%.0f allocations", n)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	refuse()
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > 2<<10 {
		t.Errorf("%d bytes are allocated for a token of %d", n, len(token))
	}
}

func TestIssueRefusesVersions(t *testing.T) {
	t.Parallel()
	auth := newAuthorizer(t, paseto.Config{Keys: everyKey(t)})
	few := newAuthorizer(t, paseto.Config{Keys: []paseto.Key{localKey}, Version: paseto.V3})
	if few.CanIssue() {
		t.Error("a key of version 4 issues tokens of version 3")
	}
	for why, test := range map[string]struct {
		auth  *paseto.Authorizer
		grant paseto.Grant
	}{
		"v1.local":  {auth, paseto.Grant{Version: "v1"}},
		"v5.public": {auth, paseto.Grant{Version: "v5", Purpose: paseto.Public}},
		"v4.secret": {auth, paseto.Grant{Purpose: "secret"}},
		"v3.local":  {few, paseto.Grant{}},
		"v4.public": {few, paseto.Grant{Version: paseto.V4, Purpose: paseto.Public}},
	} {
		if issued, err := test.auth.IssueAccess(test.grant); !errors.Is(err, paseto.ErrConfig) || !strings.Contains(err.Error(), why) || issued.Token.Reveal() != "" {
			t.Errorf("%s is issued as %v, error %v, want %v", why, issued, err, paseto.ErrConfig)
		}
	}
	if _, err := few.IssueAccess(paseto.Grant{Version: paseto.V4}); err != nil {
		t.Errorf("the key there is does not issue: %v", err)
	}
}

// TestVersion2HasNoImplicitAssertions neither issues with one nor verifies.
func TestVersion2HasNoImplicitAssertions(t *testing.T) {
	t.Parallel()
	auth := newAuthorizer(t, paseto.Config{Keys: everyKey(t), Version: paseto.V2})
	for _, purpose := range purposes {
		issued, err := auth.IssueAccess(paseto.Grant{Purpose: purpose, Implicit: []byte("device")})
		if !errors.Is(err, paseto.ErrGrant) || !strings.Contains(err.Error(), "implicit") || issued.Token.Reveal() != "" {
			t.Errorf("v2.%s with an implicit assertion is issued, error %v, want %v", purpose, err, paseto.ErrGrant)
		}
		token := issueAccess(t, auth, paseto.Grant{Purpose: purpose}).Token.Reveal()
		verify(t, auth, token, paseto.Requirement{})
		_, err = auth.Verify(t.Context(), token, paseto.Requirement{Implicit: []byte("device")})
		want := map[paseto.Purpose]error{paseto.Local: paseto.ErrDecrypt, paseto.Public: paseto.ErrSignature}[purpose]
		checkRefused(t, err, want, "")
	}
}
