package redistest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"time"
)

// process is a running program. On Linux it dies with the test binary, even if that is killed.
type process struct {
	cmd  *exec.Cmd
	gone chan struct{}
}

func startProcess(cmd *exec.Cmd) (*process, error) {
	cmd.SysProcAttr = attributes()
	p := &process{cmd: cmd, gone: make(chan struct{})}
	started := make(chan error, 1)
	go func() {
		// Linux takes the end of the thread that started a process for the end of its parent. So this goroutine keeps its
		// thread until the process is gone.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer close(p.gone)
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // How it ended is of no interest.
		}
	}()
	return p, <-started
}

func (p *process) pid() int { return p.cmd.Process.Pid }

func (p *process) ended() bool {
	select {
	case <-p.gone:
		return true
	default:
		return false
	}
}

func (p *process) signal(signal os.Signal) error { return p.cmd.Process.Signal(signal) }

// end sends a signal that ends the process and waits until it is gone.
func (p *process) end(signal os.Signal) error {
	if p.cmd.Process == nil { // it never started
		return nil
	}
	if err := p.signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-p.gone:
		return nil
	case <-time.After(patience):
		return fmt.Errorf("redistest: process %d survives %s", p.pid(), signal)
	}
}
