package redistest_test

import (
	"io"
	"net"
	"slices"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/pasetokit/pasetokit/internal/redistest"
	"github.com/pasetokit/pasetokit/internal/testtool"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func want(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s = %q, want %q", what, got, want)
	}
}

// ping sends PING over a connection and reports whether the answer comes before the deadline.
func ping(t *testing.T, conn net.Conn, deadline time.Time) bool {
	t.Helper()
	if err := conn.SetDeadline(deadline); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, "PING\r\n"); err != nil {
		return false
	}
	answer := make([]byte, len("+PONG\r\n"))
	_, err := io.ReadFull(conn, answer)
	return err == nil && string(answer) == "+PONG\r\n"
}

// answers reports whether an answer comes, for which it waits.
func answers(t *testing.T, conn net.Conn) bool {
	t.Helper()
	return ping(t, conn, testtool.Deadline())
}

// silent reports that no answer comes, which it does not wait for.
func silent(t *testing.T, conn net.Conn) bool {
	t.Helper()
	return !ping(t, conn, time.Now().Add(100*time.Millisecond))
}

func dial(t *testing.T, addr string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

func TestServer(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t, "--requirepass", "open sesame")
	other := redistest.Start(t)
	want(t, "SET", s.Command(t, "SET", "k", "v\r\n"), "OK")
	want(t, "GET", s.Command(t, "GET", "k"), "v\r\n")
	want(t, "MGET", s.Command(t, "MGET", "k", "none", "k"), "v\r\n\n\nv\r\n")
	want(t, "GET of the other server", other.Command(t, "GET", "k"), "")

	addr := s.Addr()
	for name, end := range map[string]func(){"Kill": s.Kill, "Stop": s.Stop} {
		end()
		if conn, err := net.Dial("tcp", addr); err == nil {
			conn.Close()
			t.Errorf("the server takes connections after %s", name)
		}
		s.Restart()
		want(t, "Addr after "+name, s.Addr(), addr)
		want(t, "PING after "+name, s.Command(t, "PING"), "PONG")
	}
	want(t, "GET after a restart without persistence", s.Command(t, "GET", "k"), "")
}

func TestDurableServer(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t, "--appendonly", "yes", "--appendfsync", "always")
	s.Command(t, "SET", "k", "v")
	s.Kill()
	s.Restart()
	want(t, "GET after a restart", s.Command(t, "GET", "k"), "v")
}

func TestPause(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	conn := dial(t, s.Addr())
	if !answers(t, conn) {
		t.Fatal("the server does not answer")
	}
	s.Pause()
	if !silent(t, conn) {
		t.Error("the server answers while it is paused")
	}
	s.Resume()
	want(t, "PING", s.Command(t, "PING"), "PONG")
	s.Pause() // and so the test ends
}

func TestReplica(t *testing.T) {
	t.Parallel()
	primary := redistest.Start(t, "--requirepass", "secret")
	replica := redistest.StartReplica(t, primary)
	primary.Command(t, "SET", "k", "v")
	want(t, "WAIT", primary.Command(t, "WAIT", "1", "10000"), "1")
	want(t, "Role of the primary", primary.Role(), "master")
	want(t, "Role of the replica", replica.Role(), "slave")
	want(t, "GET of the replica", replica.Command(t, "GET", "k"), "v")
}

func TestCluster(t *testing.T) {
	t.Parallel()
	c := redistest.StartCluster(t)
	if len(c.Addrs()) != 6 || len(c.Primaries()) != 3 || len(c.Replicas()) != 3 {
		t.Fatalf("%d nodes, %d primaries, %d replicas; want 6, 3, 3", len(c.Addrs()), len(c.Primaries()), len(c.Replicas()))
	}
	primary := c.PrimaryOf("k")
	primary.Command(t, "SET", "k", "v")
	want(t, "WAIT", primary.Command(t, "WAIT", "1", "10000"), "1")
	if other := c.PrimaryOf("another key"); other == primary {
		t.Error("one primary serves all keys")
	}

	c.Hasten()
	primary.Kill()
	testtool.Eventually(t, "a replica takes over", func() bool { return len(c.Primaries()) == 3 })
	promoted := c.PrimaryOf("k")
	want(t, "GET after the failover", promoted.Command(t, "GET", "k"), "v")
	primary.Restart()
	testtool.Eventually(t, "the old primary follows", func() bool { return slices.Contains(c.Replicas(), primary) })
}

func TestSentinel(t *testing.T) {
	t.Parallel()
	primary := redistest.Start(t)
	replica := redistest.StartReplica(t, primary)
	sentinels := redistest.StartSentinel(t, primary, "denylist", 3, "requirepass secret")
	if n := len(sentinels.Addrs()); n != 3 {
		t.Fatalf("%d Sentinels, want 3", n)
	}
	want(t, "Primary", sentinels.Primary(t), primary.Addr())
	sentinels.Hasten(t)
	primary.Kill()
	testtool.Eventually(t, "the replica takes over", func() bool {
		return sentinels.Primary(t) == replica.Addr() && replica.Role() == "master"
	})
}

func TestProxy(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	p := redistest.StartProxy(t, s.Addr())
	conn := dial(t, p.Addr())
	if !answers(t, conn) {
		t.Fatal("nothing passes")
	}

	p.Hang()
	late := dial(t, p.Addr())
	if !silent(t, conn) || !silent(t, late) {
		t.Error("something passes while the proxy hangs")
	}
	p.Restore()
	pong := make([]byte, len("+PONG\r\n"))
	for _, conn := range []net.Conn{conn, late} {
		_ = conn.SetDeadline(testtool.Deadline())
		if _, err := io.ReadFull(conn, pong); err != nil {
			t.Errorf("what was sent meanwhile is not answered: %v", err)
		}
	}

	p.Cut()
	if !silent(t, conn) || !silent(t, dial(t, p.Addr())) {
		t.Error("something passes while the proxy is cut")
	}
	p.Restore()
	if !silent(t, conn) {
		t.Error("a connection that was cut is back")
	}
	if !answers(t, dial(t, p.Addr())) {
		t.Error("nothing passes after Restore")
	}
}
