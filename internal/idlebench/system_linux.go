package main

import (
	"errors"
	"math"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// residentSize returns how much memory of the machine this process takes, in
// bytes.
func residentSize() (float64, error) {
	// statm would be cheaper, but may be off by some pages of every thread.
	const file = "/proc/self/smaps_rollup"
	text, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if fields := strings.Fields(line); len(fields) == 3 && fields[0] == "Rss:" && fields[2] == "kB" {
			kib, err := strconv.ParseFloat(fields[1], 64)
			return kib * 1024, err
		}
	}
	return 0, errors.New(file + " has no line Rss")
}

// openFiles returns how many files a process may have open: the hard limit, to
// which package os raises the soft one.
func openFiles() (int, error) {
	var limit syscall.Rlimit
	err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit)
	return int(min(limit.Cur, math.MaxInt32)), err
}
