package clientlog

// Shares returns how many shares are counted.
func (l *Log) Shares() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.shares)
}
