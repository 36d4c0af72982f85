package redis_test

import (
	"errors"
	"io"
	"net"
	"sync"
	"testing"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/denylist/redis"
	"github.com/pasetokit/pasetokit/internal/redistest"
)

// freezer passes connections on to a server. Those that are open when it freezes
// bring nothing from there any more.
type freezer struct {
	mu     sync.Mutex
	frozen chan struct{} // closed when those that are open freeze
	thaw   chan struct{} // closed at the end
}

func startFreezer(t *testing.T, target string) (f *freezer, address string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f = &freezer{frozen: make(chan struct{}), thaw: make(chan struct{})}
	var running sync.WaitGroup
	t.Cleanup(func() {
		close(f.thaw)
		listener.Close()
		running.Wait()
	})
	running.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", target)
			if err != nil {
				client.Close()
				continue
			}
			frozen := f.now()
			running.Go(func() {
				_, _ = io.Copy(server, client)
				server.Close()
			})
			running.Go(func() {
				f.copy(client, server, frozen)
				client.Close()
			})
		}
	})
	return f, listener.Addr().String()
}

func (f *freezer) now() chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.frozen
}

// freeze stops the connections that are open.
func (f *freezer) freeze() {
	f.mu.Lock()
	defer f.mu.Unlock()
	close(f.frozen)
	f.frozen = make(chan struct{})
}

func (f *freezer) copy(client io.Writer, server io.Reader, frozen chan struct{}) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := server.Read(buffer)
		if err != nil {
			return
		}
		select {
		case <-frozen:
			<-f.thaw
		default:
		}
		if _, err := client.Write(buffer[:n]); err != nil {
			return
		}
	}
}

// TestGapIsToldInTime: who is told that something may have been missed finds it
// when asking, even if the connection over which the cache hears of changes hangs.
func TestGapIsToldInTime(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	f, address := startFreezer(t, server.Addr())
	store := openStore(t, redis.Config{Addresses: []string{address}, Timeout: hasty})
	peer := openStore(t, redis.Config{Addresses: []string{server.Addr()}})
	events := startWatch(t, store)
	for range 2 {
		wantRevoked(t, store, "a", false)
	}

	f.freeze()
	server.Command(t, "CLIENT", "KILL", "TYPE", "pubsub")
	revoke(t, peer, "a")
	if e := next(t, events); e.Kind != denylist.EventMissed {
		t.Fatalf("the watch tells of %+v, want that something was missed", e)
	}
	revoked, err := store.Revoked(t.Context(), denylist.Token{ID: "a"})
	if !revoked && !errors.Is(err, denylist.ErrUnavailable) {
		t.Errorf("Revoked = %t, %v, though the watch has told that there is news", revoked, err)
	}
}
