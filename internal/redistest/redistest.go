// Package redistest runs real redis-server processes for tests: a server, a primary with replicas, a Redis Cluster, and
// Sentinels, on free ports of the loopback interface, with their data in the test's temporary directory. They can be
// killed, restarted and paused, and a [Proxy] cuts the network before them. Nothing outlives the test that started it.
//
// A test is skipped where redis-server is missing, or fails if NO_SKIP is set. What a server logged is shown when its
// test fails. The servers of one test are for the goroutine of that test: other goroutines may call Addr alone.
package redistest

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/pasetokit/pasetokit/internal/testtool"
)

// Server is a redis-server process.
type Server struct {
	t        testing.TB
	program  string
	dir      string
	port     int
	password string
	// arguments returns the command line, given the port.
	arguments func(port string) []string
	extra     []string // of RestartWith
	process   *process
	paused    bool
}

// Start starts a server and waits until it answers. The arguments are options of redis-server, such as "--appendonly",
// "yes", and come after those that make it keep nothing on disk and replicate without delay. The password of
// --requirepass is used wherever the package itself talks to the server.
func Start(t testing.TB, args ...string) *Server {
	t.Helper()

	s := newServer(t, args)
	s.arguments = func(port string) []string { return append(s.defaults(), append(args, "--port", port)...) }
	s.launch()
	return s
}

func (s *Server) defaults() []string {
	return []string{
		"--bind", "127.0.0.1", "--dir", s.dir, "--save", "", "--appendonly", "no",
		// A replica that is sent the data without a file may get nothing more for a second.
		"--repl-diskless-sync", "no", "--repl-ping-replica-period", "1",
	}
}

// StartTLS starts a server that speaks TLS at TLSAddr, where it wants a certificate that the same authority has signed
// as its own.
func StartTLS(t testing.TB, certFile, keyFile, caFile string, args ...string) *Server {
	t.Helper()

	s := newServer(t, args)
	s.arguments = func(port string) []string {
		return append(s.defaults(), append(args, "--port", port, "--tls-port", strconv.Itoa(s.port+busOffset),
			"--tls-cert-file", certFile, "--tls-key-file", keyFile, "--tls-ca-cert-file", caFile)...)
	}
	s.launch()
	return s
}

// TLSAddr returns the address at which a server of StartTLS speaks TLS.
func (s *Server) TLSAddr() string {
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port+busOffset))
}

// StartReplica starts a replica of another server and waits until it follows.
func StartReplica(t testing.TB, of *Server, args ...string) *Server {
	t.Helper()

	replicate := []string{"--replicaof", "127.0.0.1 " + strconv.Itoa(of.port)}
	if of.password != "" {
		replicate = append(replicate, "--masterauth", of.password)
	}
	s := Start(t, append(replicate, args...)...)
	until(t, "the replica follows", s.linked)
	return s
}

func newServer(t testing.TB, settings []string) *Server {
	t.Helper()

	s := &Server{t: t, program: testtool.Need(t, "redis-server"), dir: t.TempDir()}
	for i, setting := range settings {
		if strings.TrimPrefix(setting, "--") == "requirepass" && i+1 < len(settings) {
			s.password = settings[i+1]
		}
	}
	return s
}

// launch starts the server for the first time. Another program may take the port before the server does: then it tries
// others.
func (s *Server) launch() {
	s.t.Helper()

	s.t.Cleanup(func() {
		s.Kill()
		if s.t.Failed() {
			s.t.Logf("redis-server on %s logged:\n%s", s.Addr(), s.log())
		}
	})
	var err error
	for range 10 {
		s.port = FreePort(s.t)
		if err = s.run(); !errors.Is(err, errPortTaken) {
			break
		}
	}
	if err != nil {
		s.t.Fatal(err)
	}
}

var errPortTaken = errors.New("redistest: the port is taken")

// run starts the process and waits until it answers.
func (s *Server) run() error {
	if err := os.Truncate(s.logFile(), 0); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	log, err := os.OpenFile(s.logFile(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close() //nolint:errcheck // The process has the file now.

	cmd := exec.Command(s.program, append(s.arguments(strconv.Itoa(s.port)), s.extra...)...) //nolint:gosec,noctx // The test's own; Kill ends it.
	cmd.Dir, cmd.Stdout, cmd.Stderr = s.dir, log, log
	s.paused = false
	if s.process, err = startProcess(cmd); err != nil {
		return err
	}
	return within(patience, func() error {
		if s.process.ended() {
			if strings.Contains(s.log(), "Address already in use") {
				return permanent{errPortTaken}
			}
			return permanent{fmt.Errorf("redistest: redis-server ended:\n%s", s.log())}
		}
		return s.answers()
	})
}

// answers reports why it is not this very process that answers on the port, ready to serve.
func (s *Server) answers() error {
	if _, err := s.ask("PING"); err != nil {
		return err
	}
	return s.info("server", "process_id:"+strconv.Itoa(s.process.pid()))
}

// info reports that a section of INFO lacks a line.
func (s *Server) info(section, line string) error {
	info, err := s.ask("INFO", section)
	if err != nil {
		return err
	}
	if !strings.Contains(info, line+"\r\n") {
		return fmt.Errorf("no %s in:\n%s", line, info)
	}
	return nil
}

// linked reports why the server is not a replica in contact with its primary.
func (s *Server) linked() error { return s.info("replication", "master_link_status:up") }

func (s *Server) logFile() string { return filepath.Join(s.dir, "redis.log") }

func (s *Server) log() string {
	log, err := os.ReadFile(s.logFile())
	if err != nil {
		return err.Error()
	}
	return string(log)
}

// Addr returns the address of the server, such as 127.0.0.1:12345. It stays the same over a restart.
func (s *Server) Addr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)) }

// Kill ends the server without a warning and waits until it is gone. Nothing happens if it has ended already.
func (s *Server) Kill() {
	s.t.Helper()
	s.end(syscall.SIGKILL)
}

// Stop asks the server to shut down and waits until it has.
func (s *Server) Stop() {
	s.t.Helper()
	s.end(syscall.SIGTERM)
}

func (s *Server) end(signal os.Signal) {
	s.t.Helper()
	if s.process == nil {
		return
	}
	if err := s.process.end(signal); err != nil {
		s.t.Error(err)
	}
}

// Restart starts the server again, killing it first if it runs: on the same port, with the same directory and options.
// It waits until the server answers.
func (s *Server) Restart() {
	s.t.Helper()
	s.Kill()
	until(s.t, "the server starts again", s.run)
}

// RestartWith is Restart with further options, until the next of its kind.
func (s *Server) RestartWith(args ...string) {
	s.t.Helper()
	s.extra = args
	s.Restart()
}

// Pause stops the server in its tracks: its connections stay open, and nobody answers.
func (s *Server) Pause() {
	s.t.Helper()
	s.signal(pause)
	s.paused = true
}

// Resume lets the server go on after Pause.
func (s *Server) Resume() {
	s.t.Helper()
	s.signal(resume)
	s.paused = false
}

func (s *Server) signal(signal os.Signal) {
	s.t.Helper()
	if err := s.process.signal(signal); err != nil {
		s.t.Fatal(err)
	}
}

// Command runs a command on the server and returns the reply as text, the elements of an array on a line each. An error
// reply fails the test.
func (s *Server) Command(t testing.TB, args ...string) string {
	t.Helper()
	reply, err := s.ask(args...)
	if err != nil {
		t.Fatalf("%s: %v", args[0], err)
	}
	return reply
}

// Role returns what the server takes itself for, "master" or "slave", or nothing if it is down or paused.
func (s *Server) Role() string {
	reply, err := s.ask("ROLE")
	if err != nil {
		return ""
	}
	role, _, _ := strings.Cut(reply, "\n")
	return role
}
