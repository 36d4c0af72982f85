package redistest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Sentinels are Redis Sentinels that watch one primary. They are patient, so that it is not replaced because the machine
// is busy. After Hasten, they replace it by a replica within a few seconds when it dies.
type Sentinels struct {
	name  string
	nodes []*Server
}

// StartSentinel starts n Sentinels that know a primary by the given name, and waits until they know its replicas and
// each other. More than half of them decide. The settings are further lines of sentinel.conf.
func StartSentinel(t testing.TB, primary *Server, name string, n int, settings ...string) *Sentinels {
	t.Helper()

	settings = append([]string{
		fmt.Sprintf("sentinel monitor %s 127.0.0.1 %d %d", name, primary.port, n/2+1),
		"sentinel down-after-milliseconds " + name + " 600000",
		"sentinel failover-timeout " + name + " 3000",
	}, settings...)
	if primary.password != "" {
		settings = append(settings, "sentinel auth-pass "+name+" "+primary.password)
	}
	sentinels := &Sentinels{name: name}
	for range n {
		sentinels.nodes = append(sentinels.nodes, startSentinel(t, settings))
	}
	for _, s := range sentinels.nodes {
		until(t, "the Sentinels know the primary, its replicas and each other", func() error {
			replicas, err := primary.ask("INFO", "replication")
			if err != nil {
				return err
			}
			known, err := s.ask("SENTINEL", "MASTER", name)
			if err != nil {
				return err
			}
			if !strings.Contains(known, fmt.Sprintf("num-other-sentinels\n%d\n", n-1)) ||
				!strings.Contains(known, fmt.Sprintf("num-slaves\n%d\n", strings.Count(replicas, "state=online"))) {
				return fmt.Errorf("not all are known:\n%s", known)
			}
			_, err = s.ask("SENTINEL", "CKQUORUM", name)
			return err
		})
	}
	return sentinels
}

func startSentinel(t testing.TB, settings []string) *Server {
	t.Helper()

	s := newServer(t, strings.Fields(strings.Join(settings, " ")))
	file := filepath.Join(s.dir, "sentinel.conf") // the Sentinel itself writes there too
	settings = append([]string{"bind 127.0.0.1", "dir " + s.dir}, settings...)
	if err := os.WriteFile(file, []byte(strings.Join(settings, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.arguments = func(port string) []string { return []string{file, "--port", port, "--sentinel"} }
	s.launch()
	// Sentinels look around every few seconds. From Redis 7 on they can be told to do so more often, and not to sit back
	// for half a minute when they did not get to run for a while.
	_, _ = s.ask("SENTINEL", "DEBUG", "PUBLISH-PERIOD", "200", "INFO-PERIOD", "500", "ASK-PERIOD", "200", "TILT-TRIGGER", "60000")
	return s
}

// Hasten makes the Sentinels replace a primary that is silent for half a second.
func (s *Sentinels) Hasten(t testing.TB) {
	t.Helper()
	s.Command(t, "SENTINEL", "SET", s.name, "down-after-milliseconds", "500")
}

// Addrs returns the addresses of the Sentinels.
func (s *Sentinels) Addrs() []string { return addrs(s.nodes) }

// Command runs a command on every Sentinel.
func (s *Sentinels) Command(t testing.TB, args ...string) {
	t.Helper()
	for _, node := range s.nodes {
		node.Command(t, args...)
	}
}

// Primary returns the address of the server that the Sentinels take for the primary: the first one that is up is asked.
func (s *Sentinels) Primary(t testing.TB) string {
	t.Helper()
	for _, node := range s.nodes {
		if reply, err := node.ask("SENTINEL", "GET-MASTER-ADDR-BY-NAME", s.name); err == nil {
			return strings.ReplaceAll(reply, "\n", ":")
		}
	}
	t.Fatal("no Sentinel answers")
	return ""
}
