//go:build !linux

package main

import "errors"

var errNotLinux = errors.New("the memory of a process is measured on Linux only")

func residentSize() (float64, error) { return 0, errNotLinux }

func openFiles() (int, error) { return 0, errNotLinux }
