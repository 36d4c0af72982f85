package paseto_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/paseto"
)

func TestRefusals(t *testing.T) {
	t.Parallel()
	// Without a kid there is no footer, and what is appended is the first.
	issuer := newAuthorizer(t, paseto.Config{AllowNoExpiry: true, MaxTTL: paseto.NoExpiry, OmitKeyID: true})
	naming := newAuthorizer(t, paseto.Config{})
	withKeyID := issueAccess(t, naming, paseto.Grant{}).Token.Reveal()
	publicWithKeyID := issueAccess(t, naming, paseto.Grant{Purpose: paseto.Public}).Token.Reveal()
	local := issueAccess(t, issuer, paseto.Grant{Subject: "alice"}).Token.Reveal()
	public := issueAccess(t, issuer, paseto.Grant{Subject: "alice", Purpose: paseto.Public}).Token.Reveal()
	eternal := issueAccess(t, issuer, paseto.Grant{TTL: paseto.NoExpiry}).Token.Reveal()
	wrapped := issueAccess(t, issuer, paseto.Grant{Base64: true}).Token.Reveal()
	bound := func(p paseto.Purpose) string {
		return issueAccess(t, issuer, paseto.Grant{Purpose: p, Implicit: []byte("a")}).Token.Reveal()
	}
	named := issueAccess(t, issuer, paseto.Grant{Issuer: "a", Audience: []string{"a", "b"}}).Token.Reveal()
	later := issueAccess(t, issuer, paseto.Grant{NotBefore: start.Add(time.Minute)}).Token.Reveal()
	refresh := must(issuer.IssueRefresh(paseto.Grant{})).Token.Reveal()
	other := must(issuer.Issue("email-verify", paseto.Grant{})).Token.Reveal()
	untyped := sign(`{"exp":"2099-01-01T00:00:00Z"}`, "", "")
	body := strings.TrimPrefix(local, "v4.local.")
	otherKeys := paseto.Config{Keys: []paseto.Key{otherLocal, otherPair}}

	for _, test := range []struct {
		name     string
		token    string
		cfg      paseto.Config
		req      paseto.Requirement
		after    time.Duration
		sentinel error
		message  string
	}{
		{name: "no token", sentinel: paseto.ErrNoToken, message: "PASETO Authorization Token required"},

		{name: "junk", token: "junk", sentinel: paseto.ErrMalformed, message: "Invalid PASETO format"},
		{name: "two parts", token: "v4.local", sentinel: paseto.ErrMalformed, message: "Invalid PASETO format"},
		{name: "five parts", token: local + ".YQ.YQ", sentinel: paseto.ErrMalformed, message: "Invalid PASETO format"},
		{name: "empty payload", token: "v4.local.", sentinel: paseto.ErrMalformed, message: "Invalid PASETO format"},
		{name: "trailing dot", token: local + ".", sentinel: paseto.ErrMalformed, message: "Invalid PASETO format"},
		{name: "not base64url", token: "v4.local.%%%%", sentinel: paseto.ErrMalformed, message: "Invalid PASETO format"},
		{name: "padding", token: local + "=", sentinel: paseto.ErrMalformed, message: "Invalid PASETO format"},
		{name: "line end", token: local + "\n", sentinel: paseto.ErrMalformed, message: "Invalid PASETO format"},
		{name: "footer not base64url", token: local + ".%", sentinel: paseto.ErrMalformed, message: "Invalid PASETO format"},
		{name: "short local payload", token: "v4.local.AAAA", sentinel: paseto.ErrMalformed, message: "Invalid PASETO format"},
		{name: "short public payload", token: "v4.public.AAAA", sentinel: paseto.ErrMalformed, message: "Invalid PASETO format"},
		{name: "long footer", token: local + "." + strings.Repeat("A", 2800), sentinel: paseto.ErrMalformed, message: "Invalid PASETO format"},
		{name: "a byte too long", token: local, cfg: paseto.Config{MaxLength: len(local) - 1}, sentinel: paseto.ErrMalformed, message: "Invalid PASETO format"},

		{name: "unknown version", token: "v9.local." + body, sentinel: paseto.ErrVersion, message: "Invalid PASETO version v9"},
		{name: "earlier version", token: "v2.local." + body, sentinel: paseto.ErrVersion, message: "Invalid PASETO version v2"},
		{name: "version in capitals", token: "V4.local." + body, sentinel: paseto.ErrVersion, message: "Invalid PASETO version V4"},
		{name: "unknown purpose", token: "v4.other." + body, sentinel: paseto.ErrPurpose, message: "Invalid PASETO purpose other"},
		{
			name: "purpose without a key", token: local, cfg: paseto.Config{Keys: []paseto.Key{publicKey}},
			sentinel: paseto.ErrPurpose, message: "Invalid PASETO purpose local",
		},

		{name: "base64 with stray bits", token: strayBits(t), req: paseto.Requirement{Base64: true}, sentinel: paseto.ErrBase64, message: "Invalid base64 encoding"},
		{name: "not wrapped in base64", token: local, req: paseto.Requirement{Base64: true}, sentinel: paseto.ErrBase64, message: "Invalid base64 encoding"},
		{
			name: "wrapped over lines", token: wrapped[:8] + "\n" + wrapped[8:], req: paseto.Requirement{Base64: true},
			sentinel: paseto.ErrBase64, message: "Invalid base64 encoding",
		},
		{name: "wrapped unexpectedly", token: wrapped, sentinel: paseto.ErrMalformed, message: "Invalid PASETO format"},

		{name: "footer removed from local", token: bare(withKeyID), sentinel: paseto.ErrDecrypt, message: "Failed to decrypt."},
		{name: "footer of local replaced", token: bare(withKeyID) + ".YQ", sentinel: paseto.ErrDecrypt, message: "Failed to decrypt."},
		{name: "footer removed from public", token: bare(publicWithKeyID), sentinel: paseto.ErrSignature, message: "Failed to verify."},
		{name: "a dot after the footer", token: withKeyID + ".", sentinel: paseto.ErrMalformed, message: "Invalid PASETO format"},
		{name: "padding after the footer", token: withKeyID + "=", sentinel: paseto.ErrMalformed, message: "Invalid PASETO format"},
		{name: "wrong local key", token: local, cfg: otherKeys, sentinel: paseto.ErrDecrypt, message: "Failed to decrypt."},
		{name: "tampered local", token: tamper(local), sentinel: paseto.ErrDecrypt, message: "Failed to decrypt."},
		{name: "footer added to local", token: local + ".YQ", sentinel: paseto.ErrDecrypt, message: "Failed to decrypt."},
		{name: "implicit assertion missing from local", token: bound(paseto.Local), sentinel: paseto.ErrDecrypt, message: "Failed to decrypt."},
		{
			name: "wrong implicit assertion of local", token: bound(paseto.Local), req: paseto.Requirement{Implicit: []byte("b")},
			sentinel: paseto.ErrDecrypt, message: "Failed to decrypt.",
		},
		{name: "wrong public key", token: public, cfg: otherKeys, sentinel: paseto.ErrSignature, message: "Failed to verify."},
		{name: "tampered public", token: tamper(public), sentinel: paseto.ErrSignature, message: "Failed to verify."},
		{
			name: "wrong implicit assertion of public", token: bound(paseto.Public), req: paseto.Requirement{Implicit: []byte("b")},
			sentinel: paseto.ErrSignature, message: "Failed to verify.",
		},
		{name: "local presented as public", token: "v4.public." + body, sentinel: paseto.ErrSignature, message: "Failed to verify."},

		{name: "expired", token: local, after: time.Hour, sentinel: paseto.ErrExpired, message: "Token expired."},
		{name: "without expiry", token: eternal, sentinel: paseto.ErrNoExpiry, message: "Token is missing the 'exp' claim"},
		{name: "not valid yet", token: later, sentinel: paseto.ErrNotYetValid, message: "Token is not valid yet"},
		{name: "issued in the future", token: local, after: -time.Minute, sentinel: paseto.ErrNotYetValid, message: "Token is not valid yet"},
		{
			name: "issuer missing", token: local, cfg: paseto.Config{RequireIssuer: "b"},
			sentinel: paseto.ErrNoIssuer, message: "Token is missing the 'iss' claim",
		},
		{
			name: "issuer wrong", token: named, cfg: paseto.Config{RequireIssuer: "b"},
			sentinel: paseto.ErrIssuer, message: "Token issuer is not valid",
		},
		{
			name: "audience missing", token: local, cfg: paseto.Config{RequireAudience: []string{"c"}},
			sentinel: paseto.ErrAudience, message: "aud verification failed.",
		},
		{
			name: "audience wrong", token: named, cfg: paseto.Config{RequireAudience: []string{"c", "d"}},
			sentinel: paseto.ErrAudience, message: "aud verification failed.",
		},

		{name: "refresh for access", token: refresh, sentinel: paseto.ErrType, message: "Access token required but refresh provided"},
		{
			name: "access for refresh", token: local, req: paseto.Requirement{Type: paseto.TypeRefresh},
			sentinel: paseto.ErrType, message: "Refresh token required but access provided",
		},
		{
			name: "access for another", token: local, req: paseto.Requirement{Type: "other"},
			sentinel: paseto.ErrType, message: "other token required but access provided",
		},
		{name: "another for access", token: other, sentinel: paseto.ErrType, message: "Access token required but email-verify provided"},
		{name: "no type", token: untyped, sentinel: paseto.ErrType, message: "Access token required but untyped provided"},
		{
			name: "not fresh", token: local, req: paseto.Requirement{Fresh: true},
			sentinel: paseto.ErrNotFresh, message: "PASETO access token is not fresh",
		},
		{
			name: "scope missing", token: local, req: paseto.Requirement{Scopes: []string{"admin"}},
			sentinel: paseto.ErrScope, message: "Token scope is not sufficient",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			now := func() time.Time { return start.Add(test.after) }
			claims, err := newAuthorizer(t, test.cfg, paseto.WithClock(now)).Verify(t.Context(), test.token, test.req)
			checkRefused(t, err, test.sentinel, test.message)
			if claims != nil {
				t.Errorf("claims %v come with the refusal", claims)
			}
			if test.token != "" && strings.Contains(err.Error(), test.token) {
				t.Errorf("the error contains the token: %v", err)
			}
		})
	}
}

// bare returns a token without its footer.
func bare(token string) string { return token[:strings.LastIndexByte(token, '.')] }

// tamper changes a character in the middle of a token.
func tamper(token string) string {
	i := len(token) / 2
	b := []byte(token)
	if b[i] == 'A' {
		b[i] = 'B'
	} else {
		b[i] = 'A'
	}
	return string(b)
}

// TestHostileTokens checks that no part of what an attacker sends reaches a
// message but a short plain word.
func TestHostileTokens(t *testing.T) {
	t.Parallel()
	auth := newAuthorizer(t, paseto.Config{})
	for _, test := range []struct{ name, token, message string }{
		{"a space", " ", "Invalid PASETO format"},
		{"zero bytes", "\x00\x00\x00", "Invalid PASETO format"},
		{"dots", "...", "Invalid PASETO format"},
		{"two dots", "..", "Invalid PASETO format"},
		{"a megabyte", "v4.local." + strings.Repeat("A", 1_000_000), "Invalid PASETO format"},
		{"a mebibyte of dots", strings.Repeat(".", 1<<20), "Invalid PASETO format"},
		{"escape sequence for a version", "v4\x1b[31m.local.AAAA", "Invalid PASETO version"},
		{"header injection for a version", "v4\r\nSet-Cookie: a=b.local.AAAA", "Invalid PASETO version"},
		{"zero byte in a version", "v\x004.local.AAAA", "Invalid PASETO version"},
		{"markup for a version", "<script>.local.AAAA", "Invalid PASETO version"},
		{"bytes that are not UTF-8", "\xff\xfe.local.AAAA", "Invalid PASETO version"},
		{"full-width version", "ｖ４.local.AAAA", "Invalid PASETO version"},
		{"empty version", ".local.AAAA", "Invalid PASETO version"},
		{"very long version", strings.Repeat("v", 5000) + ".local.AAAA", "Invalid PASETO version"},
		{"version as long as is shown", strings.Repeat("v", 16) + ".local.AAAA", "Invalid PASETO version " + strings.Repeat("v", 16)},
		{"escape sequence for a purpose", "v4.local\x1b[31m.AAAA", "Invalid PASETO purpose"},
		{"very long purpose", "v4." + strings.Repeat("p", 5000) + ".AAAA", "Invalid PASETO purpose"},
		{"empty purpose", "v4..AAAA", "Invalid PASETO purpose"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := auth.Verify(t.Context(), test.token, paseto.Requirement{})
			refusal, ok := errors.AsType[*paseto.Error](err)
			if !ok {
				t.Fatalf("error is %v, want a refusal", err)
			}
			if refusal.Message != test.message {
				t.Errorf("message is %q, want %q", refusal.Message, test.message)
			}
			if len(err.Error()) > 300 {
				t.Errorf("the error for the log has %d bytes", len(err.Error()))
			}
		})
	}
}

// TestRefusingLongTokensIsCheap measures memory, so nothing may run beside it.
// The second Authorizer has a cap that the token passes: there the count of
// dots has to refuse it.
func TestRefusingLongTokensIsCheap(t *testing.T) {
	dots := strings.Repeat(".", 1<<20-1)
	for _, maxLength := range []int{0, 1 << 20} {
		auth := newAuthorizer(t, paseto.Config{MaxLength: maxLength})
		refuse := func() { _, _ = auth.Verify(t.Context(), dots, paseto.Requirement{}) }
		if n := testing.AllocsPerRun(20, refuse); n > 20 {
			t.Errorf("with a cap of %d: %.0f allocations", maxLength, n)
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		refuse()
		runtime.ReadMemStats(&after)
		if n := after.TotalAlloc - before.TotalAlloc; n > 64<<10 {
			t.Errorf("with a cap of %d: %d bytes are allocated", maxLength, n)
		}
	}
}

func TestErrorIs(t *testing.T) {
	t.Parallel()
	cause := errors.New("cause")
	own := &paseto.Error{Code: "token_expired", Message: "own words", Cause: cause}
	wrapped := fmt.Errorf("outer: %w", own)
	for _, test := range []struct {
		name        string
		err, target error
		want        bool
	}{
		{"code", own, paseto.ErrExpired, true},
		{"code, wrapped", wrapped, paseto.ErrExpired, true},
		{"error of the same code", wrapped, &paseto.Error{Code: paseto.ErrExpired}, true},
		{"cause", wrapped, cause, true},
		{"another code", wrapped, paseto.ErrRevoked, false},
		{"error of another code", wrapped, &paseto.Error{Code: paseto.ErrRevoked}, false},
		{"another kind", wrapped, context.Canceled, false},
		{"nil error", own, (*paseto.Error)(nil), false},
		{"bare code", fmt.Errorf("outer: %w", paseto.ErrExpired), paseto.ErrExpired, true},
		{"bare code, error of the same code", paseto.ErrExpired, own, true},
		{"bare code, another", paseto.ErrExpired, paseto.ErrRevoked, false},
		{"bare code, nil error", paseto.ErrExpired, (*paseto.Error)(nil), false},
	} {
		if got := errors.Is(test.err, test.target); got != test.want {
			t.Errorf("%s: errors.Is is %t", test.name, got)
		}
	}
	if got, want := wrapped.Error(), "outer: paseto: own words: cause"; got != want {
		t.Errorf("error reads %q, want %q", got, want)
	}
}

func TestCode(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		code    paseto.Code
		message string
	}{
		{paseto.ErrExpired, "Token expired."},
		{"banned", "Access denied"}, // a code of the program's own
	} {
		var refusal *paseto.Error
		if !errors.As(fmt.Errorf("outer: %w", test.code), &refusal) || refusal.Code != test.code || refusal.Message != test.message {
			t.Errorf("%s: errors.As gives %v, want the message %q", string(test.code), refusal, test.message)
		}
		for _, err := range []error{test.code, refusal, fmt.Errorf("outer: %w", refusal), &paseto.Error{Code: test.code, Cause: paseto.ErrRevoked}} {
			if code, ok := errors.AsType[paseto.Code](err); !ok || code != test.code {
				t.Errorf("%s: errors.AsType gives the code %q of %v", string(test.code), string(code), err)
			}
		}
		if other := new(strings.Builder); test.code.As(&other) || refusal.As(&other) {
			t.Errorf("%s is taken for a %T", string(test.code), other)
		}
		if got := test.code.Message(); got != test.message {
			t.Errorf("%s: the message is %q, want %q", string(test.code), got, test.message)
		}
		if got := test.code.Error(); got != string(test.code) {
			t.Errorf("%s reads %q", string(test.code), got)
		}
		if got, want := (&paseto.Error{Code: test.code}).Error(), "paseto: "+test.message; got != want {
			t.Errorf("an Error without a message reads %q, want %q", got, want)
		}
	}
	if code, ok := errors.AsType[paseto.Code]((*paseto.Error)(nil)); ok {
		t.Errorf("a nil *Error has the code %q", string(code))
	}
}

// strayBits returns a good token, wrapped in base64 whose last digit says more than
// the bytes do: one token could be written in several ways.
func strayBits(t testing.TB) string {
	t.Helper()
	auth := newAuthorizer(t, paseto.Config{})
	for claim := ""; ; claim += "x" {
		wrapped := issueAccess(t, auth, paseto.Grant{Base64: true, Claims: map[string]string{"a": claim}}).Token.Reveal()
		if digits := strings.TrimRight(wrapped, "="); len(digits) < len(wrapped) {
			const all = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
			last := strings.IndexByte(all, digits[len(digits)-1])
			return digits[:len(digits)-1] + all[last+1:last+2] + wrapped[len(digits):]
		}
	}
}
