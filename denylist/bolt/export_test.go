package bolt

import "go.etcd.io/bbolt"

// WithCommit has the store commit transactions by fn.
func WithCommit(fn func(*bbolt.Tx) error) Option {
	return func(s *Store) { s.commit = fn }
}
