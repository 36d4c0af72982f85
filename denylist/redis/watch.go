package redis

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/redis/rueidis"

	"github.com/pasetokit/pasetokit/denylist"
)

// Watch implements [denylist.Store]. It waits for as long as Redis cannot be
// reached; every loss of the connection is reported as missed records, once they
// would be told again.
func (s *Store) Watch(ctx context.Context, fn func(denylist.Event)) error {
	if err := s.alive(ctx); err != nil {
		return err
	}
	s.listener.once.Do(func() { s.start(s.listen) })
	select {
	case <-s.listener.inForce():
	case <-ctx.Done():
		return ctx.Err()
	case <-s.life.Done():
		return denylist.ErrClosed
	}
	return s.watchers.Watch(ctx, fn)
}

// listener is the state of the one subscription that serves all watches.
type listener struct {
	once sync.Once
	mu   *sync.Mutex
	on   chan struct{} // closed while the subscription is in force
}

func newListener() listener { return listener{mu: new(sync.Mutex), on: make(chan struct{})} }

func (l *listener) inForce() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.on
}

func (l *listener) set(on bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if on {
		close(l.on)
	} else {
		l.on = make(chan struct{})
	}
}

const (
	// The delay between two attempts to subscribe: it doubles from the one to
	// the other, and half of it is chance.
	minDelay = 50 * time.Millisecond
	maxDelay = time.Second

	// probeInterval is how often the subscription's connection is tried.
	probeInterval = time.Second
)

// listen keeps the subscription up until the store is closed.
func (s *Store) listen() {
	delay, logged := minDelay, ""
	for {
		inForce := false
		err := s.subscribe(func() {
			inForce = true
			s.watchers.TellGap() // to those that watch already; the others wait
			s.listener.set(true)
		})
		if inForce {
			s.listener.set(false)
			delay, logged = minDelay, ""
		}
		if s.closed() {
			return
		}
		wait := delay/2 + rand.N(delay/2) //nolint:gosec // No secret.
		delay = min(2*delay, maxDelay)
		if why := reason(err, s.timeout); why.Error() != logged {
			logged = why.Error()
			s.log.WarnContext(s.life, "denylist: the watch has no connection to Redis; revocations are told late", "error", why)
		}
		select {
		case <-time.After(wait):
		case <-s.life.Done():
			return
		}
	}
}

// subscribe listens over a connection of its own, until that breaks or turns out
// to be the wrong one; it returns why. It calls started once it is told of every
// revocation, and what was made before will not be hidden by the cache.
func (s *Store) subscribe(started func()) error {
	conn, _ := s.client.Dedicate()
	defer conn.Close()
	ended := make(chan struct{}, 1)
	lost := conn.SetPubSubHooks(rueidis.PubSubHooks{
		OnMessage: func(m rueidis.PubSubMessage) { s.hear(m.Message) },
		OnSubscription: func(sub rueidis.PubSubSubscription) {
			if strings.HasSuffix(sub.Kind, "unsubscribe") { // the channel has moved to another server
				select {
				case ended <- struct{}{}:
				default:
				}
			}
		},
	})
	if err := s.subscribeOver(conn); err != nil {
		return err
	}
	if err := s.probe(conn); err != nil {
		return err
	}
	s.settle()
	started()

	tick := time.NewTicker(probeInterval)
	defer tick.Stop()
	for {
		select {
		case err := <-lost:
			return err
		case <-ended:
			return errors.New("the server ended the subscription")
		case <-s.life.Done():
			return denylist.ErrClosed
		case <-tick.C:
			if err := s.probe(conn); err != nil {
				return err
			}
		}
	}
}

// subscribeOver subscribes, and returns when the server has confirmed it.
func (s *Store) subscribeOver(conn rueidis.DedicatedClient) error {
	ctx, cancel := context.WithTimeout(s.life, s.timeout)
	defer cancel()
	if s.cluster {
		err := conn.Do(ctx, conn.B().Ssubscribe().Channel(s.channel).Build()).Error()
		if !unknownCommand(err) {
			return err
		}
	}
	return conn.Do(ctx, conn.B().Subscribe().Channel(s.channel).Build().SetSlot(s.channel)).Error()
}

// publish announces something in a cluster. The servers of Redis 7 and later
// do so among those that have the channel's slot. Earlier ones tell the whole
// cluster.
func (s *Store) publish(ctx context.Context, message string) error {
	if err := s.requests.take(ctx); err != nil {
		return err
	}
	defer s.requests.give()
	err := s.client.Do(ctx, s.client.B().Spublish().Channel(s.channel).Message(message).Build()).Error()
	if unknownCommand(err) {
		err = s.client.Do(ctx, s.client.B().Publish().Channel(s.channel).Message(message).Build().SetSlot(s.channel)).Error()
	}
	return err
}

func unknownCommand(err error) bool {
	return err != nil && strings.Contains(err.Error(), "unknown command")
}

// probe reports why the connection is not one over which revocations are told: it
// is dead, or its server is no primary any more, or not the one that the Sentinels
// name; in a cluster not the one of the channel, or cut off from the others.
func (s *Store) probe(conn rueidis.DedicatedClient) error {
	ctx, cancel := context.WithTimeout(s.life, s.timeout)
	defer cancel()
	if s.cluster { // where a server says by itself that it is the wrong one, and the client looks for the right one then
		return conn.Do(ctx, conn.B().Exists().Key(s.channel).Build()).Error()
	}
	hello, err := conn.Do(ctx, conn.B().Hello().Build()).AsMap()
	if err != nil {
		return err
	}
	role := hello["role"]
	if text, _ := role.ToString(); text != primary {
		s.servers.soon()
		return fmt.Errorf("the server is a %s", text)
	}
	if s.client.Mode() != rueidis.ClientModeSentinel {
		return nil
	}
	return s.probePrimary(ctx, conn)
}

// probePrimary reports that the connection is not to the server that the Sentinels
// take for the primary now. One that was replaced, and is cut off from them, goes
// on calling itself one.
func (s *Store) probePrimary(ctx context.Context, conn rueidis.DedicatedClient) error {
	var runs [2]string
	for i, client := range []rueidis.CoreClient{conn, s.client} {
		info, err := client.Do(ctx, client.B().Info().Section("server").Build()).ToString()
		if _, refused := rueidis.IsRedisErr(err); refused {
			return nil // by a server that does not let us know
		}
		if err != nil {
			return err
		}
		runs[i] = field(info, "run_id")
	}
	if runs[0] != runs[1] {
		return errors.New("the Sentinels name another server")
	}
	return nil
}

// hear takes in what was announced.
func (s *Store) hear(message string) {
	if message == nothing {
		return
	}
	if l, ok := parseDisplacement(message); ok {
		s.watchers.Tell(denylist.Event{Kind: denylist.EventDisplaced, Lease: l})
		return
	}
	e, ok := parseMessage(message)
	if !ok {
		s.watchers.TellGap()
		return
	}
	s.remember(s.life, e)
	s.watchers.Tell(denylist.Event{Kind: denylist.EventRevoked, Revocation: e.revocation()})
}

// settle returns when what was recorded before the call is no longer hidden by
// an older answer in the cache. A server tells of changes over the connection
// that the cache belongs to, at the end of the round in which it made them: so
// after two answers from there, one after the other, it has told of all. A
// server that does not answer loses its connection, and its part of the cache,
// within two Timeouts.
func (s *Store) settle() {
	if s.recent == nil {
		return
	}
	ctx, cancel := context.WithTimeout(s.life, 3*s.timeout)
	defer cancel()
	var all sync.WaitGroup
	for _, node := range s.client.Nodes() {
		all.Go(func() {
			for answers := 0; answers < 2; {
				err := s.ping(ctx, node)
				if ctx.Err() != nil || err != nil && !isTimeout(err) {
					return
				}
				if err == nil {
					answers++
				}
			}
		})
	}
	all.Wait()
}

func (s *Store) ping(ctx context.Context, node rueidis.Client) error {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	return node.Do(ctx, node.B().Ping().Build()).Error()
}
