package httpauth_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
)

func TestPassword(t *testing.T) {
	t.Parallel()
	hash := httpauth.HashPassword(paseto.NewSecret("open sesame"))
	const form = "$argon2id$v=19$m=19456,t=2,p=1$"
	if !strings.HasPrefix(hash, form) || len(hash) != len(form)+22+1+43 {
		t.Errorf("the hash is %s", hash)
	}
	if httpauth.HashPassword(paseto.NewSecret("open sesame")) == hash {
		t.Error("two hashes of one password are the same")
	}
	const ( // of the tests of the reference implementation, phc-winner-argon2
		oneThread  = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"
		twoThreads = "$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc"
	)
	for _, test := range []struct {
		name, hash, password string
		want                 error
	}{
		{"the password", hash, "open sesame", nil},
		{"another", hash, "Open sesame", httpauth.ErrCredentials},
		{"none", hash, "", httpauth.ErrCredentials},
		{"reference", oneThread, "password", nil},
		{"reference, another password", oneThread, "passwort", httpauth.ErrCredentials},
		{"reference, two threads", twoThreads, "password", nil},
		{"unknown user", "", "open sesame", httpauth.ErrCredentials},
		{"unknown user, no password", "", "", httpauth.ErrCredentials},
	} {
		if err := httpauth.CheckPassword(test.hash, paseto.NewSecret(test.password)); !errors.Is(err, test.want) {
			t.Errorf("%s: error is %v, want %v", test.name, err, test.want)
		}
	}
}

// TestUnknownUserCostsTheSame counts what is computed, and does not measure it.
func TestUnknownUserCostsTheSame(t *testing.T) {
	t.Parallel()
	work := func(hash, password string) (calls []string) {
		derive := func(_, salt []byte, passes, memory uint32, threads uint8, length uint32) []byte {
			calls = append(calls, fmt.Sprint(len(salt), passes, memory, threads, length))
			return make([]byte, length) // which is all that an unknown user's hash has
		}
		if err := httpauth.CheckPasswordWith(derive, hash, paseto.NewSecret(password)); !errors.Is(err, httpauth.ErrCredentials) {
			t.Errorf("error is %v, want ErrCredentials", err)
		}
		return calls
	}
	known, unknown := work(httpauth.HashPassword(paseto.NewSecret("right")), "wrong"), work("", "wrong")
	if len(known) != 1 || !slices.Equal(known, unknown) {
		t.Errorf("computed is %v for a known user, and %v for an unknown one", known, unknown)
	}
}

// TestHostileHashes are refused after the work of an unknown user, and not shown.
func TestHostileHashes(t *testing.T) {
	t.Parallel()
	const malformed, tooMuch = "it is malformed", "it asks for too much"
	const salt, sum = "c29tZXNhbHQ", "CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
	const rest = "$" + salt + "$" + sum
	for _, test := range []struct{ name, hash, want string }{
		{"text", "secret", malformed},
		{"the password itself, long", strings.Repeat("secret", 1<<16), malformed},
		{"dollars", strings.Repeat("$", 1<<20), malformed},
		{"bcrypt", "$2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy", malformed},
		{"argon2i", "$argon2i$v=19$m=65536,t=2,p=1" + rest, malformed},
		{"another version", "$argon2id$v=16$m=65536,t=2,p=1" + rest, malformed},
		{"no version", "$argon2id$m=65536,t=2,p=1" + rest, malformed},
		{"parameters in another order", "$argon2id$v=19$t=2,m=65536,p=1" + rest, malformed},
		{"a parameter more", "$argon2id$v=19$m=65536,t=2,p=1,x=1" + rest, malformed},
		{"leading zero", "$argon2id$v=19$m=065536,t=2,p=1" + rest, malformed},
		{"sign", "$argon2id$v=19$m=+65536,t=2,p=1" + rest, malformed},
		{"number too large", "$argon2id$v=19$m=4294967297,t=2,p=1" + rest, malformed},
		{"no memory", "$argon2id$v=19$m=0,t=2,p=1" + rest, malformed},
		{"too little memory for the threads", "$argon2id$v=19$m=8,t=2,p=2" + rest, malformed},
		{"no passes", "$argon2id$v=19$m=65536,t=0,p=1" + rest, malformed},
		{"no threads", "$argon2id$v=19$m=65536,t=2,p=0" + rest, malformed},
		{"no salt", "$argon2id$v=19$m=65536,t=2,p=1$$" + sum, malformed},
		{"no sum", "$argon2id$v=19$m=65536,t=2,p=1$" + salt + "$", malformed},
		{"short sum", "$argon2id$v=19$m=65536,t=2,p=1$" + salt + "$AA", malformed},
		{"long sum", "$argon2id$v=19$m=65536,t=2,p=1$" + salt + "$" + strings.Repeat("AAAA", 22), malformed},
		{"padded", "$argon2id$v=19$m=65536,t=2,p=1" + rest + "=", malformed},
		{"bits that count for nothing", "$argon2id$v=19$m=65536,t=2,p=1$" + salt + "$" + sum[:42] + "d", malformed},
		{"line break", "$argon2id$v=19$m=65536,t=2,p=1" + rest + "\n", malformed},
		{"4 GiB", "$argon2id$v=19$m=4194304,t=2,p=1" + rest, tooMuch},
		{"more than 256 MiB", "$argon2id$v=19$m=262145,t=1,p=1" + rest, tooMuch},
		{"many passes", "$argon2id$v=19$m=64,t=11,p=1" + rest, tooMuch},
		{"all the passes there are", "$argon2id$v=19$m=64,t=4294967295,p=1" + rest, tooMuch},
		{"many threads", "$argon2id$v=19$m=65536,t=1,p=17" + rest, tooMuch},
		{"much memory, often", "$argon2id$v=19$m=262144,t=5,p=1" + rest, tooMuch},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			computed := ""
			err := httpauth.CheckPasswordWith(func(_, salt []byte, passes, memory uint32, threads uint8, length uint32) []byte {
				computed += fmt.Sprint(len(salt), passes, memory, threads, length)
				return make([]byte, length)
			}, test.hash, paseto.NewSecret("secret"))
			if want := fmt.Sprint(16, 2, 19456, 1, 32); computed != want {
				t.Errorf("computed is %q, want %q", computed, want)
			}
			if !errors.Is(err, httpauth.ErrCredentials) || !errors.Is(err, httpauth.ErrHash) || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("error is %v, want one with %q", err, test.want)
			}
			for _, part := range []string{"secret", salt, sum[:8], "4194304"} {
				if strings.Contains(err.Error(), part) {
					t.Errorf("the error shows %q: %v", part, err)
				}
			}
		})
	}
}

// TestBrokenHash: whose hash cannot be checked is answered, and counted, as one whose
// password is wrong; the operator is told.
func TestBrokenHash(t *testing.T) {
	t.Parallel()
	s := newSite(t, setup{web: httpauth.Config{Login: httpauth.LoginLimits{FailuresPerNameAndAddress: 2}}})
	login := s.web.Login(func(_ context.Context, c httpauth.Credentials) (paseto.Grant, error) {
		return paseto.Grant{}, httpauth.CheckPassword("$2a$10$N9qo8uLOickgx2ZMRZoMye", c.Password)
	})
	for range 2 {
		a := post(t, login, credentials("alice", "hush"))
		checkProblem(t, a, refusal(http.StatusUnauthorized, httpauth.ErrCredentials, noCredential))
	}
	checkLimited(t, post(t, login, credentials("alice", "hush")))
	log := s.log.String()
	if strings.Count(log, "level=ERROR") != 2 || !strings.Contains(log, httpauth.ErrHash.Error()) || strings.Contains(log, "N9qo8u") {
		t.Errorf("logged is %s", log)
	}
}
