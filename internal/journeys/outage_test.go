package journeys_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/denylist/redis"
	"github.com/pasetokit/pasetokit/internal/redistest"
	"github.com/pasetokit/pasetokit/internal/testtool"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/live"
	"github.com/pasetokit/pasetokit/wsauth"
)

// never is an interval that no test outlasts.
const never = 24 * time.Hour

// outages are the ways in which a network fails.
var outages = []struct {
	name  string
	begin func(*redistest.Proxy)
}{
	{"cut", (*redistest.Proxy).Cut},
	{"hanging", (*redistest.Proxy).Hang},
}

// behind returns the configuration of a node that reaches Redis through a proxy.
func behind(p *redistest.Proxy) nodeConfig {
	return nodeConfig{
		Redis: redis.Config{Addresses: []string{p.Addr()}, Timeout: 3 * time.Second},
		Live:  live.Config{RecheckInterval: never, MaxUnchecked: paseto.NoLimit},
	}
}

// waitForOutage returns when the node has noticed that it cannot reach Redis, for its
// calls and for its watch: nobody comes in.
func (n *node) waitForOutage() {
	n.t.Helper()
	testtool.Eventually(n.t, "handshakes are answered with 503", func() bool {
		_, err := n.join(access(n.t, paseto.Grant{Subject: "newcomer"}))
		return errors.Is(err, statusError(http.StatusServiceUnavailable))
	})
	testtool.Eventually(n.t, "the watch has no connection", func() bool {
		return strings.Contains(n.said.String(), "the watch has no connection")
	})
}

// waitForService returns when a client of this subject comes in. It leaves.
func (n *node) waitForService(subject string) {
	n.t.Helper()
	testtool.Eventually(n.t, "clients come in", func() bool {
		m, err := n.join(access(n.t, paseto.Grant{Subject: subject}))
		if err == nil {
			m.leave()
		}
		return err == nil
	})
}

// families are two tokens for each way to revoke.
func families(t *testing.T) []family {
	t.Helper()
	var all []family
	for _, r := range revocations {
		all = append(all, r.family(t, r.name))
	}
	return all
}

// TestRevocationDuringOutage: what a node could not hear of while it was cut off from
// Redis, it finds when it is back.
func TestRevocationDuringOutage(t *testing.T) {
	t.Parallel()
	for _, outage := range outages {
		t.Run(outage.name, func(t *testing.T) {
			t.Parallel()
			server := redistest.Start(t)
			proxy := redistest.StartProxy(t, server.Addr())
			a := startNode(t, nodeConfig{Redis: redis.Config{Addresses: []string{server.Addr()}}})
			b := startNode(t, behind(proxy))
			families := families(t)
			var here, there, spared []*member
			for _, f := range families {
				here, there = append(here, a.joins(f.ended)), append(there, b.joins(f.ended))
				spared = append(spared, a.joins(f.spared), b.joins(f.spared))
			}
			outage.begin(proxy)
			b.waitForOutage()
			for _, f := range families {
				a.revoke(f.by)
			}
			wantEnd(t, here, wsauth.ClosePolicyViolation, paseto.ErrRevoked)
			wantOpen(t, there)
			proxy.Restore()
			wantEnd(t, there, wsauth.ClosePolicyViolation, paseto.ErrRevoked)
			wantOpen(t, spared)
			b.waitForService("newcomer")
		})
	}
}

// TestRevocationFoundByRecheck: a node that is never told of a revocation finds it
// all the same.
func TestRevocationFoundByRecheck(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	server.Command(t, "ACL", "SETUSER", "deaf", "on", "nopass", "~*", "&*", "+@all", "-subscribe", "-ssubscribe")
	shared := redis.Config{Addresses: []string{server.Addr()}}
	a := startNode(t, nodeConfig{Redis: shared})
	b := startNode(t, nodeConfig{Redis: shared, User: "deaf", Live: live.Config{RecheckInterval: 100 * time.Millisecond}})
	for _, f := range families(t) {
		there, spared := b.joins(f.ended), b.joins(f.spared)
		a.revoke(f.by)
		wantEnd(t, []*member{there}, wsauth.ClosePolicyViolation, paseto.ErrRevoked)
		wantOpen(t, []*member{spared})
	}
	testtool.Eventually(t, "the node may not listen", func() bool { return strings.Contains(b.said.String(), "NOPERM") })
}

// TestUnchecked: while Redis cannot be reached nobody comes in, and those who are in
// stay for as long as is configured.
func TestUnchecked(t *testing.T) {
	t.Parallel()
	const short = time.Second
	for _, outage := range outages {
		t.Run(outage.name, func(t *testing.T) {
			t.Parallel()
			proxy := redistest.StartProxy(t, redistest.Start(t).Addr())
			cfg := behind(proxy)
			patient := startNode(t, cfg)
			cfg.Live.RecheckInterval, cfg.Live.MaxUnchecked = short/10, short
			strict := startNode(t, cfg)

			token := access(t, paseto.Grant{Subject: "alice"})
			stay := patient.crowd(3, token)
			begun := time.Now()
			end := strict.crowd(3, token)
			outage.begin(proxy)
			strict.waitForOutage()
			patient.waitForOutage()
			wantEnd(t, end, wsauth.CloseTryAgainLater, paseto.ErrUnavailable)
			for _, m := range end {
				if took := m.at.Sub(begun); took < short {
					t.Errorf("a connection was closed %s after it was checked", took)
				}
			}
			proxy.Restore()
			strict.waitForService("newcomer")
			patient.waitForService("newcomer")
			wantOpen(t, stay)
		})
	}
}
