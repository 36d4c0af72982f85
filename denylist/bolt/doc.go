// Package bolt is a [denylist.Store] in one file on disk, for one process on
// one machine: what is revoked stays revoked when the program restarts, crashes
// or the machine loses power. A service of several processes needs a store that
// they share.
//
//	store, err := bolt.Open(ctx, bolt.Config{Path: "/var/lib/chat/revoked.db"})
//	if err != nil {
//		return err
//	}
//	defer store.Close()
//
// # What it promises
//
// A call that makes a record returns once the record is on the disk, synced.
// Calls that come together share one sync, so that a thousand logouts at a time
// cost little more than one. A call that fails has no effect on what the store
// answers: the disk being full is an error that wraps
// [denylist.ErrUnavailable], and the same call works when there is room again.
// Where the disk fails to sync, nothing more is recorded until the store is opened
// anew, and the record of the call that failed may be found then; none is missing
// of those whose call succeeded.
//
// Whether a token is revoked is answered from memory, at the speed of
// [denylist.Memory] and however slow the disk is. Every live revocation is held
// there, about 100 bytes each; consumed keys are on the disk only.
//
// Records whose time has come are removed bit by bit, whenever something is
// written. The room is used again; the file itself never shrinks. While a file is
// open, a record goes only when as much time has passed by the machine's monotonic
// clock as well, so that a wall clock that jumps ahead and back loses none. That
// clock does not survive a restart: a store that is opened while the wall clock is
// ahead forgets what has expired by it.
//
// A file that is not as it was written is refused with [ErrDamaged]: [Open]
// looks at every page and at the checksum of every record. A store that dropped
// what it cannot read would let revoked tokens in. So is a file that is empty,
// unless [Config.AllowEmptyFile] is set.
//
// # What it does not do
//
// One process has the file open at a time, and a second one gets [ErrLocked].
// In particular a command line can revoke only while the server is stopped.
//
// The file must be on a local disk. Network file systems do not keep the
// promises of locking and syncing that the store is built on.
//
// Back the file up while no process has it open, or by a snapshot of its file
// system. A copy made by other means while the store is in use may be damaged.
// Whoever restores a backup loses the revocations that were made since.
//
// # The file
//
// It is a bbolt database, readable with bbolt's tools, and holds identifiers
// and times, but no token and no key; it is made with mode 0600. Its format has
// a number. A later version of this package reads all earlier formats; a format
// that is newer than the program is refused, with an error that says so, and
// left as it is. The file can be moved between machines of the same byte order.
package bolt
