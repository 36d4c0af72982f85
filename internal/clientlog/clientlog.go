// Package clientlog logs what clients cause. A client can choose what stands in such
// lines, and how many there are, so that both are bounded: texts are cut and escaped
// (see [Cut]), and each client has a share of lines a minute.
package clientlog

import (
	"context"
	"log/slog"
	"net/netip"
	"runtime"
	"sync"
	"time"
)

const (
	// linesPerMinute is how many lines of one kind a client can cause in a minute.
	linesPerMinute = 20
	// window is that minute. It begins with the first line.
	window = time.Minute
	// maxShares bounds the shares that are counted at a time. All clients beyond
	// that have one share together, so that the log is bounded as well, whatever
	// the number of addresses.
	maxShares = 512
)

// Log writes lines that clients cause. It is safe for concurrent use, and starts no
// goroutine.
//
// A client can cause 20 lines of a kind (level and message) in a minute. The others
// are counted, and one line says how many were left out. It comes with the next line
// of any client after that minute, or with [Log.Flush].
type Log struct {
	to  *slog.Logger
	now func() time.Time

	mu     sync.Mutex
	read   time.Time     // what the clock last said
	passed time.Duration // the time that has passed by it since New
	shares map[kind]*share
	begun  []*share // the same shares, in the order in which they began
}

// kind is what a share is for.
type kind struct {
	client netip.Prefix
	whom   string // what the lines are about, if each has a share of its own
	others bool   // all clients for which there is no room
	level  slog.Level
	msg    string
}

// share counts the lines of a kind since the first of them.
type share struct {
	kind
	began   time.Duration
	lines   int
	leftOut int
}

// New returns a Log that writes to a logger, and tells the minutes by now.
func New(to *slog.Logger, now func() time.Time) *Log {
	return &Log{to: to, now: now, read: now(), shares: make(map[kind]*share)}
}

// Write writes a line as [slog.Logger.Log] does, unless the client has used up its
// share. Every text and error among the values is cut. The message must be a constant.
// The client is the zero Prefix where none is known; what is written so is one share.
func (l *Log) Write(ctx context.Context, client netip.Prefix, level slog.Level, msg string, args ...any) {
	l.write(ctx, kind{client: client, level: level, msg: msg}, args)
}

// WriteAbout is Write where each of those whom the lines are about, such as a subject,
// has a share of its own, so that nobody uses up another's.
func (l *Log) WriteAbout(ctx context.Context, whom string, level slog.Level, msg string, args ...any) {
	l.write(ctx, kind{whom: Cut(whom), level: level, msg: msg}, args)
}

func (l *Log) write(ctx context.Context, k kind, args []any) {
	if !l.to.Enabled(ctx, k.level) {
		return
	}
	over, ok := l.count(k)
	l.tell(ctx, over)
	if !ok {
		return
	}
	var caller [1]uintptr
	runtime.Callers(3, caller[:])
	given := slog.NewRecord(time.Now(), k.level, k.msg, caller[0])
	line := given
	given.Add(args...)
	given.Attrs(func(a slog.Attr) bool {
		line.AddAttrs(slog.Attr{Key: a.Key, Value: bounded(a.Value)})
		return true
	})
	_ = l.to.Handler().Handle(ctx, line)
}

// Flush writes how many lines were left out so far. All shares begin anew.
func (l *Log) Flush(ctx context.Context) {
	l.mu.Lock()
	over := l.begun
	l.begun = nil
	clear(l.shares)
	l.mu.Unlock()
	l.tell(ctx, over)
}

// count counts a line, and reports whether it is to be written. It returns the shares
// whose minute is over, and which are forgotten.
func (l *Log) count(k kind) (over []*share, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	at := l.time()
	n := 0
	for n < len(l.begun) && at-l.begun[n].began >= window {
		delete(l.shares, l.begun[n].kind)
		n++
	}
	over, l.begun = l.begun[:n:n], l.begun[n:]
	if l.shares[k] == nil && len(l.shares) >= maxShares {
		k.client, k.whom, k.others = netip.Prefix{}, "", true
	}
	s := l.shares[k]
	if s == nil {
		s = &share{kind: k, began: at}
		l.shares[k] = s
		l.begun = append(l.begun, s)
	}
	if s.lines == linesPerMinute {
		s.leftOut++
		return over, false
	}
	s.lines++
	return over, true
}

// time returns the time that has passed. It is not what the clock says: a clock that is
// set back would make a minute longer.
func (l *Log) time() time.Duration {
	read := l.now()
	if passed := read.Sub(l.read); passed > 0 {
		l.passed += passed
	}
	l.read = read
	return l.passed
}

// tell writes how many lines were left out of shares.
func (l *Log) tell(ctx context.Context, over []*share) {
	for _, s := range over {
		if s.leftOut == 0 {
			continue
		}
		attrs := []slog.Attr{slog.String("of", s.msg), slog.Int("lines", s.leftOut)}
		switch {
		case s.others:
			attrs = append(attrs, slog.String("client", "others"))
		case s.client.IsValid():
			attrs = append(attrs, slog.String("client", s.client.String()))
		case s.whom != "":
			attrs = append(attrs, slog.String("about", s.whom))
		}
		l.to.LogAttrs(ctx, s.level, "lines left out", attrs...)
	}
}
