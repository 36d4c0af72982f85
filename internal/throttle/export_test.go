package throttle

import "time"

// NewSized is New with other shards, and room for so many keys in each.
func NewSized[K comparable](perMinute int, now func() time.Time, shards, room int) *Table[K] {
	return newTable[K](perMinute, time.Minute, now, shards, room)
}

// Len returns the number of keys that are remembered.
func (t *Table[K]) Len() int {
	n := 0
	for i := range t.shards {
		s := &t.shards[i]
		s.mu.Lock()
		n += len(s.clients)
		s.mu.Unlock()
	}
	return n
}
