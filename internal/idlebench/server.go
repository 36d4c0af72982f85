package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"runtime"
	"runtime/pprof"
	"slices"
	"sync/atomic"
	"time"

	"github.com/pasetokit/pasetokit/paseto"
)

// server is the process that is measured.
type server struct {
	kind    kind
	profile string // the file for a heap profile, empty for none
	open    atomic.Int64
}

// runServer serves connections of one kind, as the parent orders.
func runServer(args []string) error {
	if len(args) < 1 || len(args) > 2 {
		return errors.New("expected the kind of server, and a file for its profile if there is to be one")
	}
	i := slices.IndexFunc(kinds, func(k kind) bool { return k.name == args[0] })
	if i < 0 {
		return fmt.Errorf("unknown kind of server %q", args[0])
	}
	s := &server{kind: kinds[i]}
	if len(args) == 2 {
		s.profile = args[1]
		runtime.MemProfileRate = 4 << 10
	}
	return takeOrders(new(reporter), s.carryOut)
}

func (s *server) carryOut(o order) (report, error) {
	switch o.Do {
	case doListen:
		targets, err := s.listen(o.Key, o.Addresses)
		return report{Targets: targets}, err
	case doMeasure:
		s.settle(int64(o.Connections))
		m, err := measure()
		if err == nil && o.Connections > 0 {
			err = s.writeProfile()
		}
		return report{Memory: m}, err
	}
	return report{}, errors.New("not something that a server does")
}

// listen serves on a free port of each of the first loopback addresses, until
// the process ends.
func (s *server) listen(exported string, addresses int) (targets []string, err error) {
	key, err := paseto.ParseKey(exported)
	if err != nil {
		return nil, err
	}
	handler, err := s.kind.handler(key, &s.open)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle(path, handler)
	srv := &http.Server{Handler: mux, ReadHeaderTimeout: patience}
	for i := range addresses {
		listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", fmt.Sprintf("127.0.0.%d:0", 1+i))
		if err != nil {
			return nil, err
		}
		go func() { _ = srv.Serve(listener) }()
		targets = append(targets, listener.Addr().String())
	}
	return targets, nil
}

// settle returns when so many connections are open and goroutines have stopped
// coming and going: those of handshakes and closed connections end a moment
// after the count is right.
func (s *server) settle(connections int64) {
	const enough = 10
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for same, before := 0, -1; same < enough; <-tick.C {
		now := runtime.NumGoroutine()
		if s.open.Load() == connections && now == before {
			same++
		} else {
			same, before = 0, now
		}
	}
}

func (s *server) writeProfile() error {
	if s.profile == "" {
		return nil
	}
	f, err := os.Create(s.profile)
	if err != nil {
		return err
	}
	return errors.Join(pprof.WriteHeapProfile(f), f.Close())
}
