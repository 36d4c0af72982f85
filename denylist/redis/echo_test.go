package redis_test

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/pasetokit/pasetokit/denylist/redis"
)

// TestServerThatRepeatsThePassword: some servers and proxies quote the command that they
// refuse. The error of Open says what is wrong, and not what was quoted.
func TestServerThatRepeatsThePassword(t *testing.T) {
	t.Parallel()
	const password = "hunter2 with \"spaces\""
	for _, test := range []struct{ answer, want string }{
		{"-ERR unknown command `HELLO`, with args beginning with: `3`, `AUTH`, `default`, `" + password + "`, ", "use Redis 6.2 or later"},
		{"-ERR unknown command 'HELLO', with args beginning with: '3' 'AUTH' 'default' 'hunter2", "use Redis 6.2 or later"},
		{"-WRONGPASS " + password + " is not the password of default", "check Credentials"},
		{"-" + strings.ReplaceAll(password, " ", "_") + " is no command", "ERR"},
		{"-NOPROTO hunter2", "use Redis 6.2 or later"},
	} {
		t.Run(test.answer[1:10], func(t *testing.T) {
			t.Parallel()
			_, err := redis.Open(t.Context(), redis.Config{
				Addresses:   []string{answering(t, test.answer)},
				Credentials: redis.StaticCredentials("", password),
			})
			if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("error is %v, want one with %q and without the password", err, test.want)
			}
		})
	}
}

// answering starts a server that gives one answer to all that is said to it, and returns
// its address.
func answering(t *testing.T, answer string) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			running.Go(func() {
				defer conn.Close()
				for lines := bufio.NewScanner(conn); lines.Scan(); {
					if strings.HasPrefix(lines.Text(), "*") {
						_, _ = fmt.Fprintf(conn, "%s\r\n", answer)
					}
				}
			})
		}
	})
	t.Cleanup(func() {
		listener.Close()
		running.Wait()
	})
	return listener.Addr().String()
}
