package paseto_test

import (
	"strings"
	"testing"

	"github.com/pasetokit/pasetokit/paseto"
)

// The material of the official vectors of PASERK. That of local keys is zeros
// or counts up from 0x70, which is also the seed of an Ed25519 key pair and the
// beginning of a scalar of P-384.
const (
	zeros          = "0000000000000000000000000000000000000000000000000000000000000000"
	sequential     = "707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f"
	sequentialPair = sequential + "1ce56a48c82ff99162a14bc544612674e5d61fb9317e65d4055780fdbcb4dc35"
	scalar         = sequential + "909192939495969798999a9b9c9d9e9f"
)

// knownKey is a key of the official vectors in PASERK, its material, its
// identifier, and that of the tokens that it makes or opens.
type knownKey struct{ paserk, material, id, kid string }

var knownKeys = []knownKey{
	{
		"k2.local.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", zeros,
		"k2.lid.WpgZ4rDluvqGSwOFQfbkxem-i3lRJ92XPPPwHEDm-gtE", "",
	},
	{
		"k2.local.cHFyc3R1dnd4eXp7fH1-f4CBgoOEhYaHiImKi4yNjo8", sequential,
		"k2.lid.keK316jg65NYOw6BbBHJHeQ7YWpyuHfNRxBVtY3kNoXG", "",
	},
	{
		"k2.secret.cHFyc3R1dnd4eXp7fH1-f4CBgoOEhYaHiImKi4yNjo8c5WpIyC_5kWKhS8VEYSZ05dYfuTF-ZdQFV4D9vLTcNQ", sequentialPair,
		"k2.sid.9wfgiRJhydmagHQ9kKOOxQm3OXRTCPxkelCzxw1sJRkV", "k2.pid.YzacSN8bEVu8LNYEGlcwghScVvU1gHSOEKtqn4fjIP5D",
	},
	{
		"k2.public.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", zeros,
		"k2.pid.gUztDB_2F1oxWaUa0RYxGYtLw_0TN-g5mw_M7HUMLh7D", "",
	},

	{
		"k3.local.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", zeros,
		"k3.lid.c2Wpke9KunV6-Tow8dV1wsvVFRkjcTYt_7ZzOtIDRFpM", "",
	},
	{
		"k3.local.cHFyc3R1dnd4eXp7fH1-f4CBgoOEhYaHiImKi4yNjo8", sequential,
		"k3.lid.5GB-DfqfPOIMr0-y4IV8323vrjMt3mZMh_R3J3raH38l", "",
	},
	{
		"k3.secret.cHFyc3R1dnd4eXp7fH1-f4CBgoOEhYaHiImKi4yNjo-QkZKTlJWWl5iZmpucnZ6f", scalar,
		"k3.sid.mNalRnF8T60OMPdi1TWSMcub-51v3Au2VB1MOqPrw8zG", "k3.pid.rEKRyf5jP7vrVRXT_GcDof5b3yRrMWAT1qzfLuWSbp03",
	},
	{
		"k3.public.AgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "02" + zeros + zeros[:32],
		"k3.pid.mL4lGxNG7cz128frmpn83_76V9C7LmV2sHAMtJ8vIdwG", "",
	},
	{
		"k3.public.AnBxcnN0dXZ3eHl6e3x9fn-AgYKDhIWGh4iJiouMjY6PkJGSk5SVlpeYmZqbnJ2enw", "02" + scalar,
		"k3.pid.gnwg7IkzZyQF9wJgLLT0OpbdMT7BYmdQoG2u-xXpeeHz", "",
	},

	{
		"k4.local.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", zeros,
		"k4.lid.bqltbNc4JLUAmc9Xtpok-fBuI0dQN5_m3CD9W_nbh559", "",
	},
	{
		"k4.local.cHFyc3R1dnd4eXp7fH1-f4CBgoOEhYaHiImKi4yNjo8", sequential,
		"k4.lid.iVtYQDjr5gEijCSjJC3fQaJm7nCeQSeaty0Jixy8dbsk", "",
	},
	{
		"k4.secret.cHFyc3R1dnd4eXp7fH1-f4CBgoOEhYaHiImKi4yNjo8c5WpIyC_5kWKhS8VEYSZ05dYfuTF-ZdQFV4D9vLTcNQ", sequentialPair,
		"k4.sid.gHYyx8y5YzqKEZeYoMDqUOKejdSnY_AWhYZiSCMjR1V5", "k4.pid.mCv5F34c3ALB7hzKEOQUsEBpj3CTArhbJzGyeeCCKWn1",
	},
	{
		"k4.public.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", zeros,
		"k4.pid.S_XQmeEwHbbvRmiyfXfHYpLGjXGzjTRSDoT1YtTakWFE", "",
	},
}

func (k knownKey) version() paseto.Version { return paseto.Version("v" + k.paserk[1:2]) }
func (k knownKey) kind() string            { return strings.Split(k.paserk, ".")[1] }

func TestKnownKeys(t *testing.T) {
	t.Parallel()
	for _, known := range knownKeys {
		t.Run(known.id[:10], func(t *testing.T) {
			t.Parallel()
			key, err := paseto.ParseKey(known.paserk)
			if err != nil {
				t.Fatal(err)
			}
			purpose := paseto.Public
			if known.kind() == "local" {
				purpose = paseto.Local
			}
			if key.Version() != known.version() || key.Purpose() != purpose || key.CanIssue() != (known.kind() != "public") {
				t.Errorf("the key is %s of %s.%s, issues %t", key, key.Version(), key.Purpose(), key.CanIssue())
			}
			if got := key.Export(); got != known.paserk {
				t.Errorf("exported is %s, want %s", got, known.paserk)
			}
			if got := key.ID(); got != known.id {
				t.Errorf("the identifier is %s, want %s", got, known.id)
			}
			kid := known.kid
			if kid == "" {
				kid = known.id
			}
			if got := key.KeyID(); got != kid {
				t.Errorf("the kid is %s, want %s", got, kid)
			}
			if known.kind() == "public" {
				return
			}
			for name, text := range map[string]string{"digits": known.material, "bytes": string(unhex(known.material))} {
				same, err := paseto.ParseKeyFor(known.version(), purpose, text)
				if err != nil || !same.Equal(key) {
					t.Errorf("%s are read as %s, error %v", name, same, err)
				}
			}
		})
	}
}

// TestKnownPublicHalves has the public halves of the known key pairs.
func TestKnownPublicHalves(t *testing.T) {
	t.Parallel()
	for _, known := range knownKeys {
		if known.kind() != "secret" {
			continue
		}
		key := must(paseto.ParseKey(known.paserk))
		half, err := key.PublicKey()
		if err != nil {
			t.Fatal(err)
		}
		if half.ID() != known.kid || half.KeyID() != known.kid || half.CanIssue() {
			t.Errorf("the public half of %s is %s, issues %t, want %s", known.id, half.ID(), half.CanIssue(), known.kid)
		}
		if half.Equal(key) {
			t.Errorf("the two halves of %s are equal", known.id)
		}
		again := must(paseto.ParseKey(half.Export()))
		if !again.Equal(half) || again.String() != half.String() {
			t.Errorf("the exported public half is read as %s", again)
		}
	}
}

func TestKeyEqual(t *testing.T) {
	t.Parallel()
	for i, one := range knownKeys {
		for j, two := range knownKeys {
			a, b := must(paseto.ParseKey(one.paserk)), must(paseto.ParseKey(two.paserk))
			if got := a.Equal(b); got != (i == j) {
				t.Errorf("whether %s equals %s is %t", one.id, two.id, got)
			}
			if got := a.Retire(start).Equal(b); got != (i == j) {
				t.Errorf("whether retired %s equals %s is %t", one.id, two.id, got)
			}
		}
	}
	var zero paseto.Key
	if zero.Equal(localKey) || zero.ID() != "" || zero.KeyID() != "" || zero.Export() != "" || zero.CanIssue() {
		t.Error("the zero key is one")
	}
}

func TestNewKey(t *testing.T) {
	t.Parallel()
	for _, version := range versions {
		for _, purpose := range []paseto.Purpose{paseto.Local, paseto.Public} {
			one, err := paseto.NewKey(version, purpose)
			if err != nil {
				t.Fatal(err)
			}
			two := must(paseto.NewKey(version, purpose))
			if one.Version() != version || one.Purpose() != purpose || !one.CanIssue() || !one.NotAfter().IsZero() {
				t.Errorf("a new key of %s.%s is %s", version, purpose, one)
			}
			if one.Equal(two) {
				t.Errorf("two new keys of %s.%s are the same", version, purpose)
			}
			if same, err := paseto.ParseKey(one.Export()); err != nil || !same.Equal(one) || same.Export() != one.Export() {
				t.Errorf("a new key of %s.%s is read as %s, error %v", version, purpose, same, err)
			}
		}
	}
}
