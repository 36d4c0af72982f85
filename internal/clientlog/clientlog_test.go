package clientlog_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/internal/clientlog"
	"github.com/pasetokit/pasetokit/internal/testclock"
	"github.com/pasetokit/pasetokit/internal/testlog"
)

const share = 20 // lines of one kind that a client can cause in a minute

// book is a log under test, which leaves out the time of its lines.
type book struct {
	*clientlog.Log
	clock *testclock.Clock
	text  testlog.Buffer
}

func newBook() *book {
	b := &book{clock: testclock.New(time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC))}
	b.Log = clientlog.New(slog.New(slog.NewTextHandler(&b.text, &slog.HandlerOptions{
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		},
	})), b.clock.Now)
	return b
}

// lines returns how many lines there are, and the last one.
func (b *book) lines() (n int, last string) {
	lines := strings.Split(strings.TrimSuffix(b.text.String(), "\n"), "\n")
	return len(lines), lines[len(lines)-1]
}

func (b *book) check(t *testing.T, n int, last string) {
	t.Helper()
	gotN, gotLast := b.lines()
	if gotN != n || gotLast != last {
		t.Errorf("there are %d lines, and the last is\n%s, want %d and\n%s", gotN, gotLast, n, last)
	}
}

var (
	alice = netip.MustParsePrefix("192.0.2.1/32")
	bob   = netip.MustParsePrefix("2001:db8::/64")
)

// refused writes a line that a client causes.
func (b *book) refused(client netip.Prefix, times int) {
	for range times {
		b.Write(context.Background(), client, slog.LevelInfo, "refused", "path", "/ws")
	}
}

// TestShare counts what is more than a client's share, and tells it once the minute is
// over: with the next line of any client.
func TestShare(t *testing.T) {
	t.Parallel()
	b := newBook()
	const line = "level=INFO msg=refused path=/ws"
	b.refused(alice, share)
	b.check(t, share, line)
	b.refused(alice, 9980)
	b.check(t, share, line)
	b.refused(bob, 1)
	b.check(t, share+1, line)
	b.clock.Advance(time.Minute - 1)
	b.refused(alice, 1)
	b.check(t, share+1, line)
	b.clock.Advance(1)
	b.refused(bob, 1)
	if want := `level=INFO msg="lines left out" of=refused lines=9981 client=192.0.2.1/32`; !strings.Contains(b.text.String(), want) {
		t.Errorf("the log lacks %s", want)
	}
	b.check(t, share+3, line)
	b.refused(alice, share)
	b.check(t, 2*share+3, line)
	b.refused(alice, 7)
	b.Flush(t.Context())
	b.check(t, 2*share+4, `level=INFO msg="lines left out" of=refused lines=7 client=192.0.2.1/32`)
	b.Flush(t.Context())
	b.check(t, 2*share+4, `level=INFO msg="lines left out" of=refused lines=7 client=192.0.2.1/32`)
}

// TestShareOfEachKind lets no flood of one kind hide another, and counts clients whose
// address is not known together.
func TestShareOfEachKind(t *testing.T) {
	t.Parallel()
	b := newBook()
	b.refused(netip.Prefix{}, share+1)
	b.Write(t.Context(), netip.Prefix{}, slog.LevelError, "refused", "err", errors.New("away"))
	b.check(t, share+1, "level=ERROR msg=refused err=away")
	b.Write(t.Context(), netip.Prefix{}, slog.LevelInfo, "panicked")
	b.check(t, share+2, "level=INFO msg=panicked")
	b.Flush(t.Context())
	b.check(t, share+3, `level=INFO msg="lines left out" of=refused lines=1`)
}

// TestManyClients have bounded memory and a bounded log however many they are, and what
// is left out is counted.
func TestManyClients(t *testing.T) {
	t.Parallel()
	b := newBook()
	const shares, clients = 512, 20_000
	for i := range clients {
		b.refused(netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), 32), 2)
	}
	lines, _ := b.lines()
	if want := 2*shares + share; lines != want {
		t.Errorf("%d clients cause %d lines, want %d", clients, lines, want)
	}
	if counted := b.Shares(); counted != shares+1 {
		t.Errorf("%d shares are counted, want %d", counted, shares+1)
	}
	b.clock.Advance(time.Minute)
	b.refused(alice, 1)
	if want := fmt.Sprintf("lines=%d client=others", 2*(clients-shares)-share); !strings.Contains(b.text.String(), want) {
		t.Errorf("the log lacks %s", want)
	}
	if counted := b.Shares(); counted != 1 {
		t.Errorf("%d shares are counted a minute later, want 1", counted)
	}
}

// TestClockSetBack makes no minute longer.
func TestClockSetBack(t *testing.T) {
	t.Parallel()
	b := newBook()
	b.refused(alice, share+1)
	b.clock.Advance(-time.Hour)
	b.refused(alice, 1)
	b.clock.Advance(time.Minute)
	b.refused(alice, 1)
	b.check(t, share+2, "level=INFO msg=refused path=/ws")
}

// TestTexts are cut wherever a client may have put them.
func TestTexts(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 1_000_000)
	short, text := strings.Repeat("x", 197)+"…", strings.Repeat("x", 997)+"…"
	for _, test := range []struct {
		name  string
		value any
		want  string
	}{
		{"string", long, short},
		{"error", errors.New(long), text},
		{"wrapped error", fmt.Errorf("refused: %w", errors.New(strings.Repeat("\x1b", 1000))), `refused: \\x1b\\x1b`},
		{"error that panics", (*strconv.NumError)(nil), "<nil>"},
		{"attr", slog.String("a", long), short},
		{"group", slog.GroupValue(slog.String("a", long)), "v.a=" + short},
		{"LogValuer", valuer{slog.GroupValue(slog.Any("a", valuer{slog.StringValue(long)}))}, "v.a=" + short},
		{"panic", any([]string{long}), "[" + text[1:]},
		{"number", 42, "42"},
		{"stack", clientlog.Stack("a\n\tb\x1b"), `"a\n\tb\\x1b"`},
		{"long stack", clientlog.Stack(long), strings.Repeat("x", 4093) + "…"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			b := newBook()
			if a, ok := test.value.(slog.Attr); ok {
				b.Write(t.Context(), alice, slog.LevelInfo, "refused", a)
			} else {
				b.Write(t.Context(), alice, slog.LevelInfo, "refused", "v", test.value)
			}
			got := b.text.String()
			if !strings.Contains(got, test.want) || len(got) > 4200 || strings.ContainsRune(got, '\x1b') {
				t.Errorf("log is %.5000s\nwant %s", got, test.want)
			}
		})
	}
}

type valuer struct{ v slog.Value }

func (v valuer) LogValue() slog.Value { return v.v }

// TestSource is where the line was written, and not this package.
func TestSource(t *testing.T) {
	t.Parallel()
	var text testlog.Buffer
	log := clientlog.New(slog.New(slog.NewTextHandler(&text, &slog.HandlerOptions{AddSource: true})), time.Now)
	log.Write(t.Context(), alice, slog.LevelInfo, "refused")
	if got := text.String(); !strings.Contains(got, "clientlog_test.go") {
		t.Errorf("log is %s", got)
	}
}

// TestDisabledLevel costs nothing, and is not counted.
func TestDisabledLevel(t *testing.T) {
	t.Parallel()
	b := newBook()
	for range 2 * share {
		b.Write(t.Context(), alice, slog.LevelDebug, "refused")
	}
	b.Flush(t.Context())
	if got := b.text.String(); got != "" || b.Shares() != 0 {
		t.Errorf("log is %s", got)
	}
}

// TestConcurrentWrites lose no line and no count.
func TestConcurrentWrites(t *testing.T) {
	t.Parallel()
	b := newBook()
	var writers sync.WaitGroup
	for range 8 {
		writers.Go(func() { b.refused(alice, 100) })
	}
	writers.Wait()
	b.Flush(t.Context())
	b.check(t, share+1, fmt.Sprintf(`level=INFO msg="lines left out" of=refused lines=%d client=192.0.2.1/32`, 800-share))
}
