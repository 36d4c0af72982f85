package bolt_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/denylist/bolt"
)

func wantDamaged(t testing.TB, path string, err error) {
	t.Helper()
	if !errors.Is(err, bolt.ErrDamaged) {
		t.Errorf("Open = %v, want ErrDamaged", err)
	}
	wantWords(t, err, path, "restore", "move it away")
}

// sample is a store whose file tests damage.
type sample struct {
	path    string
	data    []byte // of the file
	records int
	page    int // bytes
}

// newSample makes a store with n records of each kind for ever, and some more.
// Others have expired and left free pages.
func newSample(t *testing.T, n int) *sample {
	t.Helper()
	sample := &sample{path: file(t), records: n, page: os.Getpagesize()}
	c := newClock()
	s := open(t, sample.path, bolt.WithClock(c.Now))
	ctx, soon := t.Context(), c.Now().Add(time.Minute)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			id := fmt.Sprint(i)
			_, _, err := s.Consume(ctx, id, "value of "+id, time.Time{})
			if err := errors.Join(err,
				s.Revoke(ctx, denylist.Revocation{TokenID: id}),
				s.Revoke(ctx, denylist.Revocation{Session: id}),
				s.Revoke(ctx, denylist.Revocation{Subject: id, IssuedBefore: c.Now()}),
				s.Revoke(ctx, denylist.Revocation{TokenID: "soon " + id, Until: soon}),
			); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	c.Advance(time.Hour)
	for range 5 + n/40 { // so that the last transaction of all made a record, too
		id := fmt.Sprint(sample.records)
		revoke(t, s, denylist.Revocation{TokenID: id})
		revoke(t, s, denylist.Revocation{Session: id})
		revoke(t, s, denylist.Revocation{Subject: id, IssuedBefore: c.Now()})
		if _, _, err := s.Consume(ctx, id, "value of "+id, time.Time{}); err != nil {
			t.Fatal(err)
		}
		sample.records++
	}
	closed(t, s)
	var err error
	if sample.data, err = os.ReadFile(sample.path); err != nil {
		t.Fatal(err)
	}
	if err := sample.check(t.Context(), sample.path); err != nil {
		t.Fatalf("before any damage: %v", err)
	}
	return sample
}

// check opens the file at path, and returns an error unless it is refused as
// damaged or nothing is missing.
func (s *sample) check(ctx context.Context, path string) error {
	store, err := bolt.Open(ctx, bolt.Config{Path: path})
	if err != nil {
		return err
	}
	defer store.Close()
	for i := range s.records {
		id := fmt.Sprint(i)
		for _, token := range []denylist.Token{{ID: id}, {Session: id}, {Subject: id}} {
			if ok, err := store.Revoked(ctx, token); !ok || err != nil {
				return fmt.Errorf("opened, and Revoked(%v) = %t, %w", token, ok, err)
			}
		}
		winner, first, err := store.Consume(ctx, id, "another", time.Time{})
		if winner != "value of "+id || first || err != nil {
			return fmt.Errorf("opened, and Consume(%s) = %q, %t, %w", id, winner, first, err)
		}
	}
	return nil
}

// pages returns how many pages the file has, without the room in store.
func (s *sample) pages() int {
	pages := uint64(0)
	for number := range 2 {
		pages = max(pages, binary.NativeEndian.Uint64(s.data[number*s.page+headerAt+40:]))
	}
	return int(pages)
}

// headerAt is where a page that is a header tells its numbers.
const headerAt = 16

// write makes a file of data for a store to open.
func write(t testing.TB, data []byte) (path string) {
	t.Helper()
	path = file(t)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestDamagedFile(t *testing.T) {
	t.Parallel()
	sample := newSample(t, 600)
	end := sample.pages() * sample.page
	random := make([]byte, len(sample.data))
	_, _ = rand.NewChaCha8([32]byte{1}).Read(random)

	// header changes the newer header and makes its checksum right.
	header := func(change func(numbers []byte)) []byte {
		data := bytes.Clone(sample.data)
		first, second := data[headerAt:], data[sample.page+headerAt:]
		if native.Uint64(first[48:]) > native.Uint64(second[48:]) {
			second = first
		}
		change(second)
		sum := fnv.New64a()
		sum.Write(second[:56])
		native.PutUint64(second[56:], sum.Sum64())
		return data
	}
	number := func(at int, n uint64) []byte {
		return header(func(numbers []byte) { native.PutUint64(numbers[at:], n) })
	}
	for _, test := range []struct {
		name string
		data []byte
	}{
		{"one byte", []byte{0}},
		{"text", []byte("This is a text, not a database.\n")},
		{"a long text", bytes.Repeat([]byte("This is a text, not a database.\n"), 1000)},
		{"zeros", make([]byte, 4*sample.page)},
		{"many zeros", make([]byte, 1<<20)},
		{"random", random},
		{"one header", sample.data[:sample.page]},
		{"the headers alone", sample.data[:2*sample.page]},
		{"cut at half", sample.data[:end/2/sample.page*sample.page]},
		{"cut in a page", sample.data[:end/2]},
		{"without the last page", sample.data[:end-sample.page]},
		{"without the last byte", sample.data[:end-1]},
		{"the first bytes zero", append(make([]byte, 8*sample.page), sample.data[8*sample.page:]...)},
		{"page size 3", header(func(numbers []byte) { native.PutUint32(numbers[8:], 3) })},
		{"page size 0", header(func(numbers []byte) { native.PutUint32(numbers[8:], 0) })},
		{"another page size", header(func(numbers []byte) { native.PutUint32(numbers[8:], 1<<20) })},
		{"root in the headers", number(16, 1)},
		{"root beyond the end", number(16, 1<<40)},
		{"root in the free list", number(16, native.Uint64(header(func([]byte) {})[headerAt+32:]))},
		{"free list beyond the end", number(32, 1<<62)},
		{"free list in the root", number(32, 3)},
		{"no free list", number(32, 1<<64-1)},
		{"no pages", number(40, 0)},
		{"fewer pages", number(40, uint64(sample.pages()-1))},
		{"more pages", number(40, uint64(sample.pages()+1))},
		{"more pages than bytes", number(40, 1<<63)},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			path := write(t, test.data)
			wantDamaged(t, path, refuse(t, path))
			if after, err := os.ReadFile(path); err != nil || !bytes.Equal(after, test.data) {
				t.Errorf("the file was changed (%v)", err)
			}
		})
	}
}

var native = binary.NativeEndian

// find returns the number of the first page of a type, 1 meaning a branch and 2
// a leaf, that is no copy out of use.
func (s *sample) find(t *testing.T, kind uint16) int {
	t.Helper()
	db := database(t, write(t, s.data))
	defer db.Close()
	tx, err := db.Begin(false)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback() //nolint:errcheck // it only read
	for number := range s.pages() {
		info, err := tx.Page(number)
		if err != nil {
			t.Fatal(err)
		}
		if info.Type != "free" && native.Uint16(s.data[number*s.page+8:]) == kind {
			return number
		}
	}
	t.Fatalf("there is no page of type %d", kind)
	return 0
}

// TestDamagedTree: pages that are wrong in a way that only their relation tells.
func TestDamagedTree(t *testing.T) {
	t.Parallel()
	sample := newSample(t, 600)
	branch, leaf := sample.find(t, 1), sample.find(t, 2)
	for _, test := range []struct {
		name   string
		page   int
		change func(page []byte)
	}{
		{"a branch is its own child", branch, func(p []byte) { native.PutUint64(p[16+8:], uint64(branch)) }},
		{"a child twice", branch, func(p []byte) { copy(p[32+8:40+8], p[16+8:]) }},
		{"a child beyond the end", branch, func(p []byte) { native.PutUint64(p[16+8:], 1<<50) }},
		{"a key of the branch too large", branch, func(p []byte) { p[16+native.Uint32(p[16:])] = 0xFF }},
		{"a branch has lost entries", branch, func(p []byte) { native.PutUint16(p[10:], native.Uint16(p[10:])-1) }},
		{"a branch without entries", branch, func(p []byte) { native.PutUint16(p[10:], 0) }},
		{"a leaf has lost entries", leaf, func(p []byte) { native.PutUint16(p[10:], native.Uint16(p[10:])-1) }},
		{"a leaf without entries", leaf, func(p []byte) { native.PutUint16(p[10:], 0) }},
		{"a leaf of too many entries", leaf, func(p []byte) { native.PutUint16(p[10:], 0xFFFF) }},
		{"a leaf of another kind", leaf, func(p []byte) { native.PutUint16(p[8:], 4) }},
		{"a leaf taken for a branch", leaf, func(p []byte) { native.PutUint16(p[8:], 1) }},
		{"a leaf that never ends", leaf, func(p []byte) { native.PutUint32(p[12:], 1<<32-1) }},
		{"a leaf with the next page", leaf, func(p []byte) { native.PutUint32(p[12:], 1) }},
		{"an element of another kind", leaf, func(p []byte) { native.PutUint32(p[16:], 8) }},
		{"a record taken for a bucket", leaf, func(p []byte) { native.PutUint32(p[16:], 1) }},
		{"a key without length", leaf, func(p []byte) { native.PutUint32(p[24:], 0) }},
		{"a key of another length", leaf, func(p []byte) {
			native.PutUint32(p[24:], native.Uint32(p[24:])+1)
			native.PutUint32(p[28:], native.Uint32(p[28:])-1)
		}},
		{"a value beyond the page", leaf, func(p []byte) { native.PutUint32(p[28:], 1<<31) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			data := bytes.Clone(sample.data)
			test.change(data[test.page*sample.page:][:sample.page])
			path := write(t, data)
			wantDamaged(t, path, refuse(t, path))
		})
	}
}

// TestDamagedPages damages one page at a time: the file is refused, or nothing
// was lost with it.
func TestDamagedPages(t *testing.T) {
	t.Parallel()
	sample := newSample(t, 600)
	pages := sample.pages()
	random := make([]byte, sample.page)
	_, _ = rand.NewChaCha8([32]byte{2}).Read(random)
	for _, test := range []struct {
		name   string
		change func(data []byte, number int)
	}{
		{"zero", func(data []byte, number int) { clear(data[number*sample.page:][:sample.page]) }},
		{"random", func(data []byte, number int) { copy(data[number*sample.page:], random) }},
		{"ones", func(data []byte, number int) {
			copy(data[number*sample.page:], bytes.Repeat([]byte{0xFF}, sample.page))
		}},
		{"a part zero", func(data []byte, number int) { clear(data[number*sample.page+sample.page/4:][:sample.page/4]) }},
		{"that of before", func(data []byte, number int) {
			copy(data[number*sample.page:], sample.data[(number+pages-1)%pages*sample.page:][:sample.page])
		}},
		{"cut off", func(data []byte, number int) { clear(data[number*sample.page:]) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			refused, path := 0, file(t)
			for number := range pages {
				data := bytes.Clone(sample.data[:pages*sample.page])
				test.change(data, number)
				if err := os.WriteFile(path, data, 0o600); err != nil {
					t.Fatal(err)
				}
				switch err := sample.check(t.Context(), path); {
				case errors.Is(err, bolt.ErrDamaged):
					refused++
				case err != nil:
					t.Errorf("page %d of %d: %v", number, pages, err)
				}
			}
			if refused < pages/4 {
				t.Errorf("only %d of %d pages were found damaged", refused, pages)
			}
		})
	}
}

// TestDamagedBytes turns bits of a small file, where buckets are within a page,
// and of one with trees. The file is refused, or nothing was lost.
func TestDamagedBytes(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name          string
		records, step int
	}{{"small", 3, 13}, {"larger", 100, 251}} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			sample := newSample(t, test.records)
			path := write(t, sample.data)
			f, err := os.OpenFile(path, os.O_WRONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			refused := 0
			for at := 0; at < sample.pages()*sample.page; at += test.step {
				old := sample.data[at]
				if _, err := f.WriteAt([]byte{old ^ 1<<(at%8)}, int64(at)); err != nil {
					t.Fatal(err)
				}
				switch err := sample.check(t.Context(), path); {
				case err == nil:
				case errors.Is(err, bolt.ErrDamaged) || strings.Contains(err.Error(), "another program"):
					refused++
				default:
					t.Errorf("byte %d: %v", at, err)
				}
				if _, err := f.WriteAt([]byte{old}, int64(at)); err != nil {
					t.Fatal(err)
				}
			}
			if refused == 0 {
				t.Error("no damage was found")
			}
		})
	}
}

// TestDamagedWhileOpen: what happens to the file of an open store ends neither
// the process nor the answers from memory, but nothing more is recorded.
func TestDamagedWhileOpen(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		damage func(t *testing.T, s *sample, f *os.File)
	}{
		{"cut off", func(t *testing.T, s *sample, f *os.File) {
			t.Helper()
			err := f.Truncate(int64(2 * s.page))
			if runtime.GOOS == "windows" { // where nobody can cut off a file in use
				_, err = f.WriteAt(make([]byte, (s.pages()-2)*s.page), int64(2*s.page))
			}
			if err != nil {
				t.Fatal(err)
			}
		}},
		{"pages zero", func(t *testing.T, s *sample, f *os.File) {
			t.Helper()
			if _, err := f.WriteAt(make([]byte, (s.pages()-2)*s.page), int64(2*s.page)); err != nil {
				t.Fatal(err)
			}
		}},
		{"headers zero", func(t *testing.T, s *sample, f *os.File) {
			t.Helper()
			if _, err := f.WriteAt(make([]byte, 2*s.page), 0); err != nil {
				t.Fatal(err)
			}
		}},
		{"records overwritten", func(t *testing.T, s *sample, f *os.File) {
			t.Helper()
			data := bytes.ReplaceAll(s.data, []byte("value of "), []byte("Value of "))
			if _, err := f.WriteAt(data, 0); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			sample := newSample(t, 600)
			s := open(t, sample.path)
			f, err := os.OpenFile(sample.path, os.O_RDWR, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			test.damage(t, sample, f)

			_, _, err = s.Consume(t.Context(), "1", "v", time.Time{})
			if !errors.Is(err, bolt.ErrDamaged) || !errors.Is(err, denylist.ErrUnavailable) {
				t.Errorf("Consume = %v, want ErrDamaged and ErrUnavailable", err)
			}
			wantWords(t, err, sample.path, "restore")
			err = s.Revoke(t.Context(), denylist.Revocation{TokenID: "new"})
			if !errors.Is(err, bolt.ErrDamaged) || !errors.Is(err, denylist.ErrUnavailable) {
				t.Errorf("Revoke = %v, want ErrDamaged and ErrUnavailable", err)
			}
			wantRevoked(t, s, denylist.Token{ID: "1"}, true)
			wantRevoked(t, s, denylist.Token{ID: "new"}, false)
			closed(t, s)
			if err := refuse(t, sample.path); !errors.Is(err, bolt.ErrDamaged) && !errors.Is(err, bolt.ErrLocked) {
				t.Errorf("Open afterwards = %v", err)
			}
		})
	}
}

// TestSweepDamaged: the sweep finds a damaged record among those it looks at.
func TestSweepDamaged(t *testing.T) {
	t.Parallel()
	path := formatOne(t, 1, rawRecord{"tokens", "first of all", []any{int64(1)}})
	s := open(t, path)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	at := bytes.Index(data, []byte("first of all"))
	if _, err := f.WriteAt([]byte("g"), int64(at)); err != nil {
		t.Fatal(err)
	}
	err = s.Revoke(t.Context(), denylist.Revocation{Session: "a"})
	if !errors.Is(err, bolt.ErrDamaged) || !errors.Is(err, denylist.ErrUnavailable) {
		t.Errorf("Revoke = %v, want ErrDamaged and ErrUnavailable", err)
	}
}
