package paserk_test

import (
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"github.com/pasetokit/pasetokit/paseto/internal/paserk"
)

// The material of the official vectors. Sequential counts up from 0x70.
var (
	zeros      = strings.Repeat("00", 32)
	ones       = strings.Repeat("ff", 32)
	sequential = "707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f"

	zeroPair       = zeros + "3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29"
	sequentialPair = sequential + "1ce56a48c82ff99162a14bc544612674e5d61fb9317e65d4055780fdbcb4dc35"

	scalarOne        = strings.Repeat("00", 47) + "01"
	sequentialScalar = sequential + "909192939495969798999a9b9c9d9e9f"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestID has the official vectors of every identifier.
func TestID(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ kind, material, want string }{
		{"local", zeros, "k2.lid.WpgZ4rDluvqGSwOFQfbkxem-i3lRJ92XPPPwHEDm-gtE"},
		{"local", sequential, "k2.lid.keK316jg65NYOw6BbBHJHeQ7YWpyuHfNRxBVtY3kNoXG"},
		{"secret", zeroPair, "k2.sid.72HIqql6GuWauqz7l11ZvNufO04l7Lwk1X_uPpbsx9E8"},
		{"secret", sequentialPair, "k2.sid.9wfgiRJhydmagHQ9kKOOxQm3OXRTCPxkelCzxw1sJRkV"},
		{"public", zeros, "k2.pid.gUztDB_2F1oxWaUa0RYxGYtLw_0TN-g5mw_M7HUMLh7D"},
		{"public", sequential, "k2.pid.4zgEvkSaB64DlcV9ChYZPEqBATLwUsB5zCrlpEOk2wD9"},

		{"local", zeros, "k3.lid.c2Wpke9KunV6-Tow8dV1wsvVFRkjcTYt_7ZzOtIDRFpM"},
		{"local", sequential, "k3.lid.5GB-DfqfPOIMr0-y4IV8323vrjMt3mZMh_R3J3raH38l"},
		{"secret", scalarOne, "k3.sid.DjlX1m4BBFtsnbwzw1zv_x0yRcrZpsvdr_gIxh_hg_Rv"},
		{"secret", sequentialScalar, "k3.sid.mNalRnF8T60OMPdi1TWSMcub-51v3Au2VB1MOqPrw8zG"},
		{"public", "02" + zeros + zeros[:32], "k3.pid.mL4lGxNG7cz128frmpn83_76V9C7LmV2sHAMtJ8vIdwG"},
		{"public", "02" + sequentialScalar, "k3.pid.gnwg7IkzZyQF9wJgLLT0OpbdMT7BYmdQoG2u-xXpeeHz"},

		{"local", zeros, "k4.lid.bqltbNc4JLUAmc9Xtpok-fBuI0dQN5_m3CD9W_nbh559"},
		{"local", sequential, "k4.lid.iVtYQDjr5gEijCSjJC3fQaJm7nCeQSeaty0Jixy8dbsk"},
		{"secret", zeroPair, "k4.sid.YujQ-NvcGquQ0Q-arRf8iYEcXiSOKg2Vk5az-n1lxiUd"},
		{"secret", sequentialPair, "k4.sid.gHYyx8y5YzqKEZeYoMDqUOKejdSnY_AWhYZiSCMjR1V5"},
		{"public", zeros, "k4.pid.S_XQmeEwHbbvRmiyfXfHYpLGjXGzjTRSDoT1YtTakWFE"},
		{"public", sequential, "k4.pid.9ShR3xc8-qVJ_di0tc9nx0IDIqbatdeM2mqLFBJsKRHs"},
	} {
		t.Run(test.want[:10], func(t *testing.T) {
			t.Parallel()
			text := paserk.Encode(test.want[:3]+test.kind+".", unhex(t, test.material))
			if got := paserk.ID(test.want[:7], text); got != test.want {
				t.Errorf("the identifier is %s, want %s", got, test.want)
			}
		})
	}
}

func TestEncode(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ header, material, want string }{
		{"k4.local.", zeros, "k4.local." + strings.Repeat("A", 43)},
		{"k2.local.", sequential, "k2.local.cHFyc3R1dnd4eXp7fH1-f4CBgoOEhYaHiImKi4yNjo8"},
		{"k3.secret.", scalarOne, "k3.secret." + strings.Repeat("A", 63) + "B"},
		{"k3.public.", "02" + zeros + zeros[:32], "k3.public.Ag" + strings.Repeat("A", 64)},
	} {
		got := paserk.Encode(test.header, unhex(t, test.material))
		if got != test.want {
			t.Errorf("encoded is %s, want %s", got, test.want)
		}
		if decoded, err := paserk.Decode(got[len(test.header):]); err != nil || hex.EncodeToString(decoded) != test.material {
			t.Errorf("%s decodes to %x, error %v", got, decoded, err)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, data string }{
		{"padding", "QUE="},
		{"standard alphabet", "+/+/"},
		{"line feed inside", "AA\nAA"},
		{"line feed at the end", "AAAA\n"},
		{"carriage return at the end", "AAAA\r"},
		{"space", "AA AA"},
		{"stray bits at the end", "QUF"},
		{"impossible length", "AAAAA"},
		{"another part", "AAAA.AAAA"},
		{"not ASCII", "AAÄA"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got, err := paserk.Decode(test.data); !errors.Is(err, paserk.ErrForm) || got != nil {
				t.Errorf("%q decodes to %x, error %v, want %v", test.data, got, err, paserk.ErrForm)
			}
		})
	}
}
