package denylist

// Local is what a [Store] implements whose records no other process hears of: a token
// that is revoked in it stays valid everywhere else. [Memory] and the store of package
// bolt are local. A store that does not implement it is taken for one that all
// services share which accept the tokens.
type Local interface {
	// Local does nothing: it marks the store.
	Local()
}

var _ Local = (*Memory)(nil)

// Local implements [Local].
func (m *Memory) Local() {}
