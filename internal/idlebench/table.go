package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// table says what a connection of each kind costs.
func table(costs map[string]memory, connections int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d idle connections; bytes per connection, goroutines of all\n\n", connections)
	fmt.Fprintf(&b, "%-8s %8s %8s %8s %11s\n", "server", "RSS", "heap", "stack", "goroutines")
	n := float64(connections)
	for _, k := range kinds {
		c := costs[k.name]
		fmt.Fprintf(&b, "%-8s %8.0f %8.0f %8.0f %11d\n", k.name, c.Resident/n, c.Heap/n, c.Stack/n, c.Goroutines)
	}
	b.WriteString("\n")
	for _, k := range kinds {
		fmt.Fprintf(&b, "%-8s %s\n", k.name, k.about)
	}
	return b.String()
}

// median returns the cost whose resident memory is in the middle.
func median(costs []memory) memory {
	sorted := slices.SortedFunc(slices.Values(costs), func(a, b memory) int {
		return cmp.Compare(a.Resident, b.Resident)
	})
	return sorted[(len(sorted)-1)/2]
}
