//go:build !linux

package redistest

import "syscall"

// The numbers of SIGSTOP and SIGCONT on macOS and the BSDs. Windows, which has no such signals, has no redis-server.
const (
	pause  = syscall.Signal(17)
	resume = syscall.Signal(19)
)

func attributes() *syscall.SysProcAttr { return nil }
