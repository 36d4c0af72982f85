package bolt

import (
	"bytes"
	"context"
	"fmt"
	"os"
)

// check verifies that file is a sound database: that both headers are right,
// that every page is in exactly one place of the trees or free, and that the
// keys are in order. It believes nothing that it reads, and looks at each page
// once. Its errors are of type damage, or that of ctx.
//
// The database itself gets by with one header, as the other may be half written
// when the power fails. But disks write a sector as a whole, so that a header
// that is wrong was damaged; and as it may be the newer one, to go on without it
// would be to forget the last revocations.
func check(ctx context.Context, file *os.File) error {
	c := &checker{ctx: ctx, file: file}
	if err := c.readHeaders(); err != nil {
		return err
	}
	if err := c.readFreelist(); err != nil {
		return err
	}
	if err := c.walk(c.root, span{}, 0); err != nil {
		return err
	}
	for number, used := range c.used {
		if !used {
			return damage(fmt.Sprintf("page %d belongs to nothing", number))
		}
	}
	return nil
}

type checker struct {
	ctx  context.Context
	file *os.File
	header
	used   []bool // by page number
	levels [maxDepth]level
}

// level is the memory for one page on the way from the root to a leaf.
type level struct {
	page    page
	entries []entry
}

// maxDepth is more than a sound tree has, even of the longest keys.
const maxDepth = 64

// span is where the keys of a tree must lie: from min on and before max, nil
// meaning no bound.
type span struct{ min, max []byte }

func (c *checker) readHeaders() error {
	info, err := c.file.Stat()
	if err != nil {
		return err
	}
	older, err := c.readHeader(0, 0)
	if err != nil {
		return err
	}
	c.header, err = c.readHeader(1, older.pageSize)
	if err != nil {
		return err
	}
	if c.pageSize != older.pageSize {
		return damage("its headers contradict each other")
	}
	if c.transaction < older.transaction {
		c.header = older
	}
	if c.pages < 2 || c.pages > uint64(info.Size()/c.pageSize) { //nolint:gosec // both are positive
		return damage("its end is missing")
	}
	c.used = make([]bool, c.pages)
	c.used[0], c.used[1] = true, true
	return nil
}

func (c *checker) readHeader(number uint64, offset int64) (header, error) {
	var data [headerSize]byte
	if _, err := c.file.ReadAt(data[:], offset); err != nil {
		return header{}, unreadable(err)
	}
	return parseHeader(number, data[:])
}

// unreadable tells of a page that cannot be read, be it that the file has become
// shorter or that the disk has lost it.
func unreadable(err error) error {
	return damage(fmt.Sprintf("it cannot be read: %v", err))
}

// readFreelist claims the free pages and those of the list.
func (c *checker) readFreelist() error {
	if c.freelist == noFreelist {
		return damage("it has no list of its free pages")
	}
	p, err := c.read(c.freelist, &c.levels[0])
	if err != nil {
		return err
	}
	free, n := p[pageHeader:], uint64(p.count()) //nolint:gosec // of 16 bits
	if n == manyFree {
		n, free = native.Uint64(free), free[8:]
	}
	if p.kind() != freelistPage || n > uint64(len(free)/8) {
		return damage("the list of its free pages is wrong")
	}
	for i := range n {
		if err := c.claim(native.Uint64(free[i*8:]), 1); err != nil {
			return err
		}
	}
	return nil
}

// claim marks n pages as used, from one on.
func (c *checker) claim(number, n uint64) error {
	if number >= c.pages || n > c.pages-number {
		return damage(fmt.Sprintf("page %d lies beyond its end", number))
	}
	for i := range n {
		if c.used[number+i] {
			return damage(fmt.Sprintf("page %d is used twice", number+i))
		}
		c.used[number+i] = true
	}
	return nil
}

// read claims and returns a page.
func (c *checker) read(number uint64, into *level) (page, error) {
	if err := c.ctx.Err(); err != nil {
		return nil, err
	}
	if err := c.claim(number, 1); err != nil {
		return nil, err
	}
	offset := int64(number) * c.pageSize //nolint:gosec // it lies within the file
	into.page = grown(into.page, c.pageSize)
	if _, err := c.file.ReadAt(into.page, offset); err != nil {
		return nil, unreadable(err)
	}
	more := into.page.continued()
	if into.page.number() != number {
		return nil, damage(fmt.Sprintf("page %d is not what was written there", number))
	}
	if more == 0 {
		return into.page, nil
	}
	if err := c.claim(number+1, more); err != nil {
		return nil, err
	}
	into.page = grown(into.page, c.pageSize*int64(more+1)) //nolint:gosec // as above
	if _, err := c.file.ReadAt(into.page, offset); err != nil {
		return nil, unreadable(err)
	}
	return into.page, nil
}

// grown returns p with the given length.
func grown(p page, size int64) page {
	if int64(cap(p)) < size {
		return make(page, size)
	}
	return p[:size]
}

// walk checks the tree under a page, and the buckets in it.
func (c *checker) walk(number uint64, within span, depth int) error {
	if depth == maxDepth {
		return damage("its tree is too deep")
	}
	level := &c.levels[depth]
	p, err := c.read(number, level)
	if err != nil {
		return err
	}
	if kind := p.kind(); kind != branchPage && kind != leafPage {
		return damage(fmt.Sprintf("page %d is of an unknown kind", number))
	}
	entries, _, err := p.entries(level.entries[:0])
	if err != nil {
		return err
	}
	level.entries = entries
	if len(entries) == 0 && !c.pristine(number) {
		return damage(fmt.Sprintf("page %d has lost its entries", number))
	}
	if err := ordered(entries, within); err != nil {
		return err
	}
	for i, e := range entries {
		switch {
		case p.kind() == branchPage:
			under := span{min: e.key, max: within.max}
			if i+1 < len(entries) {
				under.max = entries[i+1].key
			}
			err = c.walk(e.child, under, depth+1)
		case e.bucket:
			err = c.walkBucket(e.value, depth+1)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// pristine reports whether a page may be without entries: only the root may, in
// a file that was made and never written to.
func (c *checker) pristine(number uint64) bool {
	return number == c.root && c.transaction <= 1
}

func (c *checker) walkBucket(value []byte, depth int) error {
	const wrong = damage("a bucket is not as it was written")
	if len(value) < bucketHeader {
		return wrong
	}
	root, inside := native.Uint64(value), page(value[bucketHeader:])
	if root != 0 {
		if len(inside) != 0 {
			return wrong
		}
		return c.walk(root, span{}, depth)
	}
	if len(inside) < pageHeader || inside.number() != 0 || inside.continued() != 0 || inside.kind() != leafPage {
		return wrong
	}
	entries, end, err := inside.entries(nil)
	if err != nil {
		return err
	}
	if end != uint64(len(inside)) {
		return wrong
	}
	for _, e := range entries {
		if e.bucket { // such a bucket has a page of its own
			return wrong
		}
	}
	return ordered(entries, span{})
}

// ordered checks that keys ascend and lie within their span.
func ordered(entries []entry, within span) error {
	least := within.min
	for i, e := range entries {
		order := bytes.Compare(least, e.key)
		if order > 0 || order == 0 && i > 0 || within.max != nil && bytes.Compare(e.key, within.max) >= 0 {
			return damage("its keys are out of order")
		}
		least = e.key
	}
	return nil
}
