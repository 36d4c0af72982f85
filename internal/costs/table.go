package main

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strings"
)

// The table stands between these lines.
const (
	begin = "<!-- `go run ./internal/costs` writes what follows. -->\n"
	end   = "<!-- That was it. -->\n"
)

// replaceTable returns a document with a new table. A size stays as it stood there while it is right to half a megabyte:
// another patch release of Go makes no table stale.
func replaceTable(document []byte, costs []cost) ([]byte, error) {
	before, rest, begins := bytes.Cut(document, []byte(begin))
	old, after, ends := bytes.Cut(rest, []byte(end))
	if !begins || !ends {
		return nil, errors.New("it has no place for the table")
	}
	var table strings.Builder
	table.WriteString(begin + "\n| a program that imports | modules in its graph | modules linked | lines of go.sum | size |\n|---|---|---|---|---|\n")
	for _, c := range costs {
		row := fmt.Sprintf("| %s | %d | %d | %d | ", c.about, c.graph, c.linked, c.sums)
		size := math.Round(float64(c.size)/5e5) / 2
		for line := range strings.Lines(string(old)) {
			var was float64
			columns := strings.Split(line, " | ")
			if columns[0] != "| "+c.about {
				continue
			}
			if _, err := fmt.Sscanf(columns[len(columns)-1], "%f MB", &was); err == nil && math.Abs(float64(c.size)/1e6-was) <= 0.5 {
				size = was
			}
		}
		fmt.Fprintf(&table, "%s%.1f MB |\n", row, size)
	}
	table.WriteString("\n" + end)
	return append(append(before[:len(before):len(before)], table.String()...), after...), nil
}
