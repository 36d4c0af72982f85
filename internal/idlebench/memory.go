package main

import (
	"runtime"
	"runtime/debug"
)

// memory is what a process takes, in bytes, and how many goroutines it has.
type memory struct {
	Resident   float64 // as the system sees it
	Heap       float64 // spans in use, with what is unused within them
	Stack      float64 // of goroutines
	Goroutines int
}

func (m memory) minus(other memory) memory {
	return memory{
		Resident:   m.Resident - other.Resident,
		Heap:       m.Heap - other.Heap,
		Stack:      m.Stack - other.Stack,
		Goroutines: m.Goroutines - other.Goroutines,
	}
}

// measure returns what this process takes when it is at rest.
func measure() (memory, error) {
	// A collection at most halves a stack of which little is used, and a pool
	// takes two to become empty.
	for range 5 {
		runtime.GC()
	}
	debug.FreeOSMemory()
	resident, err := residentSize()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return memory{
		Resident:   resident,
		Heap:       float64(stats.HeapInuse),
		Stack:      float64(stats.StackInuse),
		Goroutines: runtime.NumGoroutine(),
	}, err
}
