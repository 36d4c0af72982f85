package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
)

// child is another process of this program, which carries out orders.
type child struct {
	role    string
	process *exec.Cmd
	stdin   io.WriteCloser
	reports chan report // closed when the child ends
}

// startChild starts a child, which is killed when ctx ends. Any error that the
// child reports is passed to fail.
func startChild(ctx context.Context, fail context.CancelCauseFunc, role string, args ...string) (*child, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	c := &child{
		role:    role,
		process: exec.CommandContext(ctx, self, append([]string{role}, args...)...), //nolint:gosec // it is this program
		reports: make(chan report),
	}
	c.process.Stderr = os.Stderr
	stdin, inErr := c.process.StdinPipe()
	stdout, outErr := c.process.StdoutPipe()
	if err := errors.Join(inErr, outErr); err != nil {
		return nil, err
	}
	if err := c.process.Start(); err != nil {
		return nil, err
	}
	c.stdin = stdin
	go c.read(stdout, fail)
	return c, nil
}

func (c *child) read(stdout io.Reader, fail context.CancelCauseFunc) {
	defer close(c.reports)
	for lines := json.NewDecoder(stdout); ; {
		var r report
		if lines.Decode(&r) != nil {
			return // the child has ended
		}
		if r.Error != "" {
			fail(fmt.Errorf("the %s says: %s", c.role, r.Error))
			continue
		}
		c.reports <- r
	}
}

// ask gives an order and waits until it is carried out.
func (c *child) ask(ctx context.Context, o order) (report, error) {
	if json.NewEncoder(c.stdin).Encode(o) == nil {
		select {
		case r, ok := <-c.reports:
			if ok {
				return r, nil
			}
		case <-ctx.Done():
		}
	}
	if ctx.Err() != nil {
		return report{}, fmt.Errorf("%w (%s, told to %s)", context.Cause(ctx), c.role, o.Do)
	}
	return report{}, fmt.Errorf("the %s has ended, told to %s", c.role, o.Do)
}

// end ends the child and waits for that.
func (c *child) end() {
	_ = c.stdin.Close()
	for range c.reports { // Wait must not be called before all is read
		continue
	}
	_ = c.process.Wait() // how it ended does not matter any more
}
