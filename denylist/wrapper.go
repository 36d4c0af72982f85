package denylist

// Shared is what a [Store] implements that knows who hears of its records. One that
// does not tell is not taken for shared: else a service would promise that a token of
// another issuer is revoked, and that issuer would never hear of it.
type Shared interface {
	// Shared reports whether all services hear of the records that accept the
	// tokens. If not, a token that is revoked here stays valid everywhere else,
	// as with [Memory] and the store of package bolt.
	Shared() bool
}

var _ Shared = (*Memory)(nil)

// Shared implements [Shared]: no other process hears of a Memory's records.
func (m *Memory) Shared() bool { return false }

// Wrapper is what a [Store] may implement that passes the calls on to another one,
// such as to measure them. A struct with an embedded Store has the methods of Store
// alone, and hides that the wrapped one is a [Leases], or what it says by [Shared].
// With Unwrap they count for the wrapper too; what the wrapper implements itself
// comes first.
type Wrapper interface {
	// Unwrap returns the wrapped store.
	Unwrap() Store
}

// maxWrappers ends the search in a store that wraps itself.
const maxWrappers = 100

// As returns what a store offers besides the methods of [Store], such as [Leases] or
// [Shared]: the store itself, or the first of those that it wraps (see [Wrapper])
// which implements T.
func As[T any](store Store) (found T, ok bool) {
	for range maxWrappers {
		if found, ok = store.(T); ok {
			return found, true
		}
		wrapper, wraps := store.(Wrapper)
		if !wraps {
			break
		}
		store = wrapper.Unwrap()
	}
	return found, false
}
