package bolt_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/denylist"
	"github.com/pasetokit/pasetokit/denylist/bolt"
)

// childVariable names the part that the test binary has in a process of its own.
const childVariable = "DENYLIST_BOLT_TEST_CHILD"

// start runs the test binary as a child that does its part with the file at
// path, and returns what it prints. The child is killed at the end of the test.
func start(t *testing.T, part, path string) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	cmd := exec.Command(os.Args[0], path)
	cmd.Env = append(os.Environ(), childVariable+"="+part)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe() // at whose end the child ends, too
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { kill(cmd); _ = stdin.Close() })
	return cmd, bufio.NewScanner(stdout)
}

// kill ends a child as a crash would, and waits until it is gone.
func kill(cmd *exec.Cmd) {
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
}

// child does a part, and returns the exit code of the process.
func child(part, path string) int {
	go func() { // do not outlive the test
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(3)
	}()
	s, err := bolt.Open(context.Background(), bolt.Config{Path: path})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	if err := parts[part](s); err != nil {
		fmt.Println(err)
		return 1
	}
	return 0
}

// parts are what children do.
var parts = map[string]func(*bolt.Store) error{
	"write": writeUntilKilled,
	"hold": func(*bolt.Store) error {
		fmt.Println("open")
		select {}
	},
}

// writeUntilKilled makes records, and prints each one when it is made.
func writeUntilKilled(s *bolt.Store) error {
	ctx, began := context.Background(), time.Now().UnixNano()
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := 0; ; j++ {
				id := fmt.Sprintf("%d-%d-%d", began, i, j)
				kind := [...]string{"token", "session", "subject", "consumed"}[j%4]
				var err error
				switch kind {
				case "token":
					err = s.Revoke(ctx, denylist.Revocation{TokenID: id})
				case "session":
					err = s.Revoke(ctx, denylist.Revocation{Session: id})
				case "subject":
					err = s.Revoke(ctx, denylist.Revocation{Subject: id, IssuedBefore: time.Now()})
				default:
					_, _, err = s.Consume(ctx, id, "value of "+id, time.Time{})
				}
				if err != nil {
					panic(err)
				}
				fmt.Println(kind, id)
			}
		})
	}
	wg.Wait()
	return nil
}

// TestCrash kills a process that writes, again and again: every record that was
// made is there.
func TestCrash(t *testing.T) {
	t.Parallel()
	path := file(t)
	var made []string
	for round := range 20 {
		cmd, lines := start(t, "write", path)
		for n := 0; lines.Scan(); n++ { // to the end: what it printed before it died counts
			made = append(made, lines.Text())
			if n == 20+17*round {
				_ = cmd.Process.Kill()
			}
		}
		kill(cmd)
		s := open(t, path)
		for _, line := range made {
			var kind, id string
			if _, err := fmt.Sscan(line, &kind, &id); err != nil {
				t.Fatalf("the child printed %q", line)
			}
			switch kind {
			case "token":
				wantRevoked(t, s, denylist.Token{ID: id}, true)
			case "session":
				wantRevoked(t, s, denylist.Token{Session: id}, true)
			case "subject":
				wantRevoked(t, s, denylist.Token{Subject: id}, true)
			default:
				wantConsumed(t, s, id, "value of "+id)
			}
		}
		closed(t, s)
		if t.Failed() {
			t.Fatalf("after %d crashes", round+1)
		}
	}
	if len(made) < 20*20 {
		t.Errorf("only %d records were made", len(made))
	}
}
