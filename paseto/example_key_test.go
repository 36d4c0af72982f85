package paseto_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/pasetokit/pasetokit/paseto"
)

// A key says itself what it is, in PASERK or PEM. However it is printed, its
// material does not show.
func ExampleParseKey() {
	key, err := paseto.ParseKey("k4.local.cHFyc3R1dnd4eXp7fH1-f4CBgoOEhYaHiImKi4yNjo8")
	fmt.Println(key, err)

	public, err := paseto.ParseKey(`-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAHrnbu7wEfAP9cGBOAHHwmH4Wsot1ciXBHwBBXQ4gsaI=
-----END PUBLIC KEY-----`)
	fmt.Println(public, err)
	fmt.Println(public.Export())

	_, err = paseto.ParseKey("correct horse battery staple")
	fmt.Println(errors.Is(err, paseto.ErrKey))
	// Output:
	// v4.local key (redacted) <nil>
	// v4.public public key <nil>
	// k4.public.Hrnbu7wEfAP9cGBOAHHwmH4Wsot1ciXBHwBBXQ4gsaI
	// true
}

// Bytes and hexadecimal digits do not say what they are a key for.
func ExampleParseKeyFor() {
	key, err := paseto.ParseKeyFor(paseto.V4, paseto.Local, "707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f")
	fmt.Println(key, err)
	// Output: v4.local key (redacted) <nil>
}

// The identifier of a key may be logged and published. The two halves of a pair
// have different ones, and one that their tokens carry.
func ExampleKey_ID() {
	key, err := paseto.ParseKey("k4.secret.cHFyc3R1dnd4eXp7fH1-f4CBgoOEhYaHiImKi4yNjo8c5WpIyC_5kWKhS8VEYSZ05dYfuTF-ZdQFV4D9vLTcNQ")
	if err != nil {
		fmt.Println(err)
		return
	}
	public, err := key.PublicKey()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(key.ID())
	fmt.Println(public.ID())
	fmt.Println(key.KeyID() == public.KeyID(), public.KeyID() == public.ID())
	// Output:
	// k4.sid.gHYyx8y5YzqKEZeYoMDqUOKejdSnY_AWhYZiSCMjR1V5
	// k4.pid.mCv5F34c3ALB7hzKEOQUsEBpj3CTArhbJzGyeeCCKWn1
	// true true
}

// A key at rest need not lie open: one key, kept elsewhere, wraps the others.
func ExampleKey_Wrap() {
	wrapping, key := paseto.NewLocalKey(), paseto.NewSecretKey()
	text, err := key.Wrap(wrapping)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(text[:19], len(text))

	unwrapped, err := paseto.UnwrapKey(text, wrapping)
	fmt.Println(unwrapped, unwrapped.Equal(key), err)
	_, err = paseto.UnwrapKey(text, paseto.NewLocalKey())
	fmt.Println(err)
	// Output:
	// k4.secret-wrap.pie. 190
	// v4.public secret key (redacted) true <nil>
	// paseto: invalid key: the wrapping key or password is wrong, or it was changed
}

// A password can wrap a key as well. The default cost takes a moment and 64 MiB
// on each try.
func ExampleKey_WrapPassword() {
	key := paseto.NewLocalKey()
	text, err := key.WrapPassword([]byte("correct horse battery staple"), paseto.PasswordCost{Memory: 1 << 20, Passes: 2})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(strings.HasPrefix(text, "k4.local-pw."))

	unwrapped, err := paseto.UnwrapKeyPassword(text, []byte("correct horse battery staple"))
	fmt.Println(unwrapped.Equal(key), err)
	_, err = paseto.UnwrapKeyPassword(text, []byte("Tr0ub4dor&3"))
	fmt.Println(err)
	// Output:
	// true
	// true <nil>
	// paseto: invalid key: the wrapping key or password is wrong, or it was changed
}

// To rotate, put the new key first, and keep the old one until the last token
// that it has issued expires.
func ExampleAuthorizer_SetKeys() {
	old := paseto.NewLocalKey()
	auth, err := paseto.New(paseto.Config{Keys: []paseto.Key{old}})
	if err != nil {
		fmt.Println(err)
		return
	}
	issued, _ := auth.IssueAccess(paseto.Grant{Subject: "alice"})

	next := paseto.NewLocalKey()
	lastExpiry := time.Now().Add(auth.Config().MaxTTL)
	if err := auth.SetKeys(next, old.Retire(lastExpiry)); err != nil {
		fmt.Println(err)
		return
	}
	claims, err := auth.Verify(context.Background(), issued.Token.Reveal(), paseto.Requirement{})
	fmt.Println(claims.Subject, err)

	issued, _ = auth.IssueAccess(paseto.Grant{Subject: "bob"})
	fmt.Println(strings.Contains(string(issued.Claims.Footer), next.KeyID()))
	fmt.Println(auth.SetKeys())
	// Output:
	// alice <nil>
	// true
	// paseto: invalid configuration: Keys is empty; without a key no token can be issued or opened
}
