package redis

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"
)

// server is what a server says of itself.
type server struct {
	mode string // standalone, cluster or sentinel
	role string // primary, or replica

	// What INFO says. If untold is set, the server does not answer INFO, and that is why.
	untold  error
	run     string // names the process
	memory  string // the limit, 0 if there is none
	policy  string // what happens at the limit
	appends bool   // it keeps what it is told in a file, or may: it is reading one
	evicted int64  // how many keys it dropped at the limit
}

// primary is how HELLO calls a primary.
const primary = "master"

// refusal is an error that a server answered.
type refusal string

func (r refusal) Error() string { return string(r) }

// errForeign is the error of reading what no Redis answers.
var errForeign = errors.New("the answer is not that of a Redis server")

// greet authenticates a new connection and asks the server what it is; a Sentinel is
// asked for less. The client greets it once more, and learns nothing else.
func greet(ctx context.Context, c net.Conn, username, password string, sentinel bool) (server, error) {
	stop := context.AfterFunc(ctx, func() { _ = c.SetDeadline(time.Unix(1, 0)) })
	s, err := ask(c, username, password, sentinel)
	if !stop() {
		return server{}, ctx.Err()
	}
	return s, err
}

func ask(c net.Conn, username, password string, sentinel bool) (server, error) {
	hello := []string{"HELLO", "3"}
	if username != "" || password != "" {
		if username == "" {
			username = "default"
		}
		hello = append(hello, "AUTH", username, password)
	}
	command := encode(hello)
	if !sentinel {
		command += encode([]string{"INFO"})
	}
	if _, err := io.WriteString(c, command); err != nil {
		return server{}, err
	}
	replies := bufio.NewReader(io.LimitReader(c, maxReplies))
	fields, err := readReply(replies, 0)
	if err != nil {
		old := strings.Contains(err.Error(), "unknown command") || strings.Contains(err.Error(), "NOPROTO")
		if password != "" {
			err = unquoted(err)
		}
		if old {
			err = fmt.Errorf("%w: the server does not speak RESP3; use Redis 6.2 or later", err)
		}
		return server{}, err
	}
	s := server{mode: fields.field("mode"), role: fields.field("role")}
	if sentinel {
		return s, nil
	}
	info, err := readReply(replies, 0)
	if errors.As(err, new(refusal)) {
		s.untold = err
		return s, nil
	}
	s.run, s.memory, s.policy = field(info.text, "run_id"), field(info.text, "maxmemory"), field(info.text, "maxmemory_policy")
	s.appends = field(info.text, "aof_enabled") == "1" || field(info.text, "loading") == "1"
	s.evicted, _ = strconv.ParseInt(field(info.text, "evicted_keys"), 10, 64) // 0 if it does not count them
	return s, err
}

// unquoted returns what a server answered to a command that has the password in it,
// without what it may have repeated of that: only the code, and what tells that the
// server is full.
func unquoted(err error) error {
	r, ok := errors.AsType[refusal](err)
	if !ok || strings.HasPrefix(string(r), "ERR max number of clients reached") {
		return err
	}
	code, _, _ := strings.Cut(string(r), " ")
	if len(code) > maxCode || strings.Trim(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		code = "ERR"
	}
	return refusal(code)
}

// maxCode is the length of the longest code of an error that is taken for one.
const maxCode = 16

// field returns a value from the text of INFO.
func field(info, name string) string {
	for line := range strings.Lines(info) {
		if value, ok := strings.CutPrefix(line, name+":"); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

func encode(command []string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "*%d\r\n", len(command))
	for _, arg := range command {
		fmt.Fprintf(&b, "$%d\r\n%s\r\n", len(arg), arg)
	}
	return b.String()
}

const (
	// maxReplies bounds what a server may answer to a greeting, in bytes, and maxDepth
	// how deep lists are inside each other.
	maxReplies = 1 << 20
	maxDepth   = 8
)

// reply is what a server answers: a text, or a list, in which the name of a field is
// followed by its value.
type reply struct {
	text string
	list []reply
}

func (r reply) field(name string) string {
	for i := 0; i+1 < len(r.list); i += 2 {
		if r.list[i].text == name {
			return r.list[i+1].text
		}
	}
	return ""
}

// readReply reads one reply of the third version of the protocol. One that says that
// something went wrong is a [refusal].
func readReply(r *bufio.Reader, depth int) (reply, error) {
	line, err := r.ReadString('\n')
	if err != nil {
		return reply{}, err
	}
	line = strings.TrimRight(line, "\r\n")
	if line == "" || depth > maxDepth {
		return reply{}, errForeign
	}
	kind, rest := line[0], line[1:]
	switch kind {
	case '+', ':', ',', '#', '(', '_':
		return reply{text: rest}, nil
	case '-':
		return reply{}, refusal(rest)
	}
	n, err := strconv.Atoi(rest)
	if err != nil || n > maxReplies {
		return reply{}, errForeign
	}
	switch kind {
	case '$', '=':
		text := make([]byte, max(n, 0))
		if _, err := io.ReadFull(r, text); err != nil {
			return reply{}, err
		}
		if n >= 0 { // a null has no line break of its own
			_, err = r.Discard(len("\r\n"))
		}
		if kind == '=' { // "txt:" comes first
			text = text[min(len(text), len("txt:")):]
		}
		return reply{text: string(text)}, err
	case '*', '~', '%':
		if kind == '%' {
			n *= 2
		}
		var list []reply
		for range n {
			item, err := readReply(r, depth+1)
			if err != nil {
				return reply{}, err
			}
			list = append(list, item)
		}
		return reply{list: list}, nil
	}
	return reply{}, errForeign
}
