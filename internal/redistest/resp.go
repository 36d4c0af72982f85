package redistest

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"

	"github.com/pasetokit/pasetokit/internal/testtool"
)

var errPaused = errors.New("redistest: the server is paused")

// ask runs a command over a connection of its own. It returns the reply as text, or an error reply as an error.
func (s *Server) ask(args ...string) (string, error) {
	if s.paused {
		return "", errPaused
	}
	conn, err := net.DialTimeout("tcp", s.Addr(), patience) //nolint:noctx // Bounded; also called while the test ends.
	if err != nil {
		return "", err
	}
	defer conn.Close() //nolint:errcheck // All that counts was read.
	if err := conn.SetDeadline(testtool.Deadline()); err != nil {
		return "", err
	}
	replies := bufio.NewReader(conn)
	if s.password != "" {
		if _, err := exchange(conn, replies, "AUTH", s.password); err != nil {
			return "", err
		}
	}
	return exchange(conn, replies, args...)
}

func exchange(conn io.Writer, replies *bufio.Reader, args ...string) (string, error) {
	var command strings.Builder
	fmt.Fprintf(&command, "*%d\r\n", len(args))
	for _, arg := range args {
		fmt.Fprintf(&command, "$%d\r\n%s\r\n", len(arg), arg)
	}
	if _, err := io.WriteString(conn, command.String()); err != nil {
		return "", err
	}
	return readReply(replies)
}

// readReply reads one reply of the second version of the protocol.
func readReply(r *bufio.Reader) (string, error) {
	line, err := r.ReadString('\n')
	if err != nil {
		return "", err
	}
	if line = strings.TrimSuffix(line, "\r\n"); line == "" {
		return "", errors.New("redistest: an empty line is no reply")
	}
	kind, text := line[0], line[1:]
	switch kind {
	case '+', ':':
		return text, nil
	case '-':
		return "", errors.New(text)
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 { // a null is an empty text
		return "", err
	}
	if kind == '$' {
		bulk := make([]byte, n+len("\r\n"))
		_, err := io.ReadFull(r, bulk)
		return string(bulk[:n]), err
	}
	elements := make([]string, n)
	for i := range elements {
		if elements[i], err = readReply(r); err != nil {
			return "", err
		}
	}
	return strings.Join(elements, "\n"), nil
}
