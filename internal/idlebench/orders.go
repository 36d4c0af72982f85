package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync"
)

// The first argument of a child.
const (
	roleServer = "server"
	roleClient = "client"
)

// What a child is told to do.
const (
	doListen  = "listen"  // server: on Addresses addresses, and report them as Targets
	doMeasure = "measure" // server: report the Memory as soon as Connections are open and all is quiet
	doOpen    = "open"    // client: Connections to the Targets
	doClose   = "close"   // client: all connections
)

// order is a line of a child's stdin. A child ends when its stdin does.
type order struct {
	Do          string
	Key         string   `json:",omitempty"` // of the tokens, empty where none are needed
	Addresses   int      `json:",omitempty"`
	Targets     []string `json:",omitempty"`
	Connections int      `json:",omitempty"`
}

// report is a line of a child's stdout: the answer to an order, or an error at
// any time.
type report struct {
	Error   string   `json:",omitempty"`
	Targets []string `json:",omitempty"`
	Memory  memory
}

// reporter sends reports. It is safe for concurrent use.
type reporter struct {
	mu sync.Mutex
}

func (r *reporter) send(what report) {
	r.mu.Lock()
	defer r.mu.Unlock()
	_ = json.NewEncoder(os.Stdout).Encode(what) // if it cannot be written, stdin ends as well
}

// takeOrders carries out orders until there are no more.
func takeOrders(out *reporter, carryOut func(order) (report, error)) error {
	signal.Ignore(os.Interrupt) // a terminal sends it to the parent as well, who then ends stdin
	orders := make(chan order)
	defer close(orders)
	go func() { // so that the end of stdin is noticed meanwhile
		for o := range orders {
			done, err := carryOut(o)
			if err != nil {
				done = report{Error: fmt.Sprintf("cannot %s: %v", o.Do, err)}
			}
			out.send(done)
		}
	}()
	for in := json.NewDecoder(os.Stdin); ; {
		var o order
		if err := in.Decode(&o); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		orders <- o
	}
}
