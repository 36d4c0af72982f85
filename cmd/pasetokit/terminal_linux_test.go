package main

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/pasetokit/pasetokit/internal/testtool"
)

// TestTerminal types a password at a terminal, which must not show it.
func TestTerminal(t *testing.T) {
	t.Parallel()
	keyboard, terminal := openTerminal(t)
	typed := make(chan error, 1)
	go func() {
		for echoes(terminal) {
			runtime.Gosched()
		}
		_, err := keyboard.WriteString(password + "\n" + password + "\n")
		typed <- err
	}()
	var stdout, stderr bytes.Buffer
	if status := run([]string{"keygen", "--wrap-password"}, terminal, &stdout, &stderr); status != 0 {
		t.Fatalf("exit status %d: %s", status, stderr.String())
	}
	if err := <-typed; err != nil {
		t.Fatal(err)
	}
	wantText(t, "standard error", stderr.String(), "Password for the new key: \nThe same again: \nkid: k4.lid.…\n")

	// Whatever the terminal has shown can be read from the other end, before
	// what it shows now.
	const end = "END"
	if _, err := terminal.WriteString(end); err != nil {
		t.Fatal(err)
	}
	var shown []byte
	for !strings.HasSuffix(string(shown), end) {
		var b [64]byte
		n, err := keyboard.Read(b[:])
		if err != nil {
			t.Fatal(err)
		}
		shown = append(shown, b[:n]...)
	}
	if string(shown) != end {
		t.Errorf("the terminal has shown %q", shown)
	}

	d := newDir(t)
	d.write("wrapped", stdout.String())
	d.run("key id --password-file DIR/password DIR/wrapped").want(0, "k4.lid.…\n", "")
	if !echoes(terminal) {
		t.Error("the terminal does not show what is typed afterwards")
	}
}

// openTerminal returns the two ends of a terminal.
func openTerminal(t *testing.T) (keyboard, terminal *os.File) {
	t.Helper()
	keyboard, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		testtool.Missing(t, "a pseudo-terminal ("+err.Error()+")")
	}
	t.Cleanup(func() { keyboard.Close() })
	if err := unix.IoctlSetPointerInt(int(keyboard.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(int(keyboard.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	terminal, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { terminal.Close() })
	return keyboard, terminal
}

// echoes reports whether a terminal shows what is typed.
func echoes(terminal *os.File) bool {
	state, err := unix.IoctlGetTermios(int(terminal.Fd()), unix.TCGETS)
	return err == nil && state.Lflag&unix.ECHO != 0
}
