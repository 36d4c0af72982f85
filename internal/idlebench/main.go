// Command idlebench measures what a WebSocket costs in memory that is open and
// idle: one that wsauth guards, with a token of its own, beside ones of plain
// gorilla/websocket.
//
// Each server and its clients are processes of their own, all of this program.
// A server is measured before the first connection and with all of them idle,
// each time after garbage collections and with free memory given back to the
// system; a connection costs the difference, divided. What the kernel keeps for
// a socket is in no figure.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// timeLimit bounds a whole run. It is shorter than the tokens live.
const timeLimit = 10 * time.Minute

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "idlebench:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) > 0 {
		switch args[0] {
		case roleServer:
			return runServer(args[1:])
		case roleClient:
			return runClient()
		}
	}
	opts, err := parse(args)
	if err != nil {
		return err
	}
	return compare(opts, os.Stdout)
}

// options are the flags.
type options struct {
	connections int
	rounds      int
	max         float64
	profiles    string
}

func parse(args []string) (options, error) {
	var opts options
	flags := flag.NewFlagSet("idlebench", flag.ExitOnError)
	flags.IntVar(&opts.connections, "connections", 15000, "how many to open to each server")
	flags.IntVar(&opts.rounds, "rounds", 1, "how often to measure each server; the median is shown")
	flags.Float64Var(&opts.max, "max", 0,
		"fail if a guarded connection costs more than this many times a plain one; 0 for no limit")
	flags.StringVar(&opts.profiles, "profiles", "",
		"`directory` for a heap profile of each server, which takes memory that is measured as well")
	_ = flags.Parse(args) // exits on an error
	switch {
	case flags.NArg() > 0:
		return opts, fmt.Errorf("unexpected argument %q; -help lists the flags", flags.Arg(0))
	case opts.connections < 1:
		return opts, errors.New("-connections must be 1 or more")
	case opts.rounds < 1:
		return opts, errors.New("-rounds must be 1 or more")
	case !(opts.max >= 0): // NaN included
		return opts, errors.New("-max must be 0 or more")
	}
	return opts, nil
}

// compare measures every kind of server and prints what came out. It is an
// error if a guarded connection costs more than it may.
func compare(opts options, out io.Writer) error {
	if err := checkSystem(opts.connections); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeoutCause(ctx, timeLimit, fmt.Errorf("not done after %s", timeLimit))
	defer cancel()
	costs, err := measureAll(ctx, opts)
	if err != nil {
		return err
	}
	if _, err := io.WriteString(out, table(costs, opts.connections)); err != nil {
		return err
	}

	plain, guarded := costs[plainKind].Resident, costs[guardedKind].Resident
	if plain <= 0 || guarded <= 0 {
		return fmt.Errorf("%d connections are too few to compare", opts.connections)
	}
	ratio := guarded / plain
	if _, err := fmt.Fprintf(out, "\n%s / %s = %.3f (RSS per connection)\n", guardedKind, plainKind, ratio); err != nil {
		return err
	}
	if opts.max > 0 && ratio > opts.max {
		return fmt.Errorf("a guarded connection costs %.3f times a plain one, more than %g", ratio, opts.max)
	}
	return nil
}

// checkSystem reports what keeps this machine from holding so many connections.
func checkSystem(connections int) error {
	if _, err := residentSize(); err != nil {
		return err
	}
	limit, err := openFiles()
	if err != nil {
		return err
	}
	const others = 100 // listeners, pipes, connections under way
	if need := connections + others; need > limit {
		return fmt.Errorf("%d connections take %d open files in one process, and the limit is %d: "+
			"raise it (ulimit -n), or open fewer with -connections", connections, need, limit)
	}
	return nil
}
