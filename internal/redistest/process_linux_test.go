package redistest_test

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/pasetokit/pasetokit/internal/redistest"
	"github.com/pasetokit/pasetokit/internal/testtool"
)

// TestNothingSurvives kills a test binary, this very one run once more, that has a server running.
func TestNothingSurvives(t *testing.T) {
	t.Parallel()
	const only = "REDISTEST_WAIT_TO_BE_KILLED"
	if os.Getenv(only) != "" {
		fmt.Printf("addr=%s\n", redistest.Start(t).Addr())
		select {}
	}
	testtool.Need(t, "redis-server")

	cmd := exec.Command(os.Args[0], "-test.run=^TestNothingSurvives$")
	cmd.Env = append(os.Environ(), only+"=1", "TMPDIR="+t.TempDir()) // it cannot clean up
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, _ := bufio.NewReader(out).ReadString('\n')
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	addr, ok := strings.CutPrefix(strings.TrimSpace(line), "addr=")
	if !ok {
		t.Fatalf("the test binary printed %q instead of an address", line)
	}
	testtool.Eventually(t, "the server is gone", func() bool {
		conn, err := net.Dial("tcp", addr)
		if err == nil {
			conn.Close()
		}
		return err != nil
	})
}
