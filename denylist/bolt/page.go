package bolt

import (
	"encoding/binary"
	"hash/fnv"
	"math/bits"
)

// The layout of a bbolt file, as far as checking needs it. Numbers are in the
// byte order of the machine.
//
// Pages 0 and 1 are the headers of the last two transactions. Every other page
// is free, or part of a tree of sorted keys, or part of the list of the free
// ones. A page that is too small for its contents continues in the next ones.
// The header of a page tells
//
//	number u64, type u16, count of entries u16, count of pages that continue it u32
//
// and is followed by one element for each entry
//
//	leaf:   is a bucket u32, position u32, length of key u32, length of value u32
//	branch: position u32, length of key u32, number of the child page u64
//
// and then by keys and values without a gap. Positions count from the element.
// The value of a bucket is the number of its root page u64 and a counter u64;
// where the number is 0, a page follows that is the whole bucket.
const (
	pageHeader   = 16
	pageElement  = 16
	bucketHeader = 16

	branchPage   = 0x01
	leafPage     = 0x02
	freelistPage = 0x10

	// manyFree is the count of a free list that is told by its first entry.
	manyFree = 0xFFFF
	// noFreelist is the page of the free list where it is not kept.
	noFreelist = 1<<64 - 1
)

var native = binary.NativeEndian

// header is what pages 0 and 1 tell.
type header struct {
	pageSize    int64
	root        uint64
	freelist    uint64
	pages       uint64 // of the file that are in use or free
	transaction uint64
}

const (
	headerSize  = 80 // with the header of its page
	boltMagic   = 0xED0CDAED
	boltVersion = 2
)

// parseHeader reads the first headerSize bytes of page 0 or 1.
func parseHeader(number uint64, p page) (header, error) {
	data := p[pageHeader:headerSize]
	sum := fnv.New64a()
	_, _ = sum.Write(data[:56]) // which never fails
	switch {
	case native.Uint32(data) != boltMagic || native.Uint32(data[4:]) != boltVersion:
		return header{}, damage("it does not begin as a database does")
	case p.number() != number || native.Uint64(data[56:]) != sum.Sum64():
		return header{}, damage("a header is not what was written there")
	}
	h := header{
		pageSize:    int64(native.Uint32(data[8:])),
		root:        native.Uint64(data[16:]),
		freelist:    native.Uint64(data[32:]),
		pages:       native.Uint64(data[40:]),
		transaction: native.Uint64(data[48:]),
	}
	if h.pageSize < 1<<10 || h.pageSize > 1<<24 || bits.OnesCount64(uint64(h.pageSize)) != 1 {
		return header{}, damage("a header tells an impossible page size")
	}
	return h, nil
}

// page is a page of a tree, with those that continue it.
type page []byte

func (p page) number() uint64    { return native.Uint64(p) }
func (p page) kind() uint16      { return native.Uint16(p[8:]) }
func (p page) count() int        { return int(native.Uint16(p[10:])) }
func (p page) continued() uint64 { return uint64(native.Uint32(p[12:])) }

// entry is one key of a page.
type entry struct {
	key, value []byte
	bucket     bool   // in leaves: value is a bucket
	child      uint64 // in branches
}

// entries appends the entries of a branch or leaf, and returns where the last
// one ends. It accepts only what the database would write, so that no entry can
// be lost to a wrong number unnoticed.
func (p page) entries(to []entry) (entries []entry, end uint64, err error) {
	const wrong = damage("a page is not laid out as it was written")
	end = pageHeader + pageElement*uint64(p.count()) //nolint:gosec // of 16 bits
	if end > uint64(len(p)) {
		return nil, 0, wrong
	}
	for i := range p.count() {
		e, l := p.element(i)
		keyEnd := end + l.keySize
		last := keyEnd + l.valueSize
		if l.start != end || l.flags > 1 || l.keySize == 0 || last > uint64(len(p)) {
			return nil, 0, wrong
		}
		e.key, e.value = p[end:keyEnd], p[keyEnd:last]
		to, end = append(to, e), last
	}
	return to, end, nil
}

// layout is what an element tells of its key and value. Its numbers are small
// enough to be added.
type layout struct {
	start, keySize, valueSize uint64
	flags                     uint32
}

// element returns the entry of an element, for its key and value to be filled
// in, and where they are.
func (p page) element(i int) (entry, layout) {
	at := pageHeader + pageElement*i
	data := p[at:]
	number := func(i int) uint64 { return uint64(native.Uint32(data[4*i:])) }
	start := uint64(at) //nolint:gosec // of 16 bits
	if p.kind() == branchPage {
		return entry{child: native.Uint64(data[8:])}, layout{start: start + number(0), keySize: number(1)}
	}
	flags := native.Uint32(data)
	return entry{bucket: flags == 1},
		layout{start: start + number(1), keySize: number(2), valueSize: number(3), flags: flags}
}
