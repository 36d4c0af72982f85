package live

import (
	"context"
	"log/slog"
	"runtime/debug"

	"github.com/pasetokit/pasetokit/internal/clientlog"
	"github.com/pasetokit/pasetokit/internal/refusal"
	"github.com/pasetokit/pasetokit/paseto"
)

// Open opens a right for a token that was verified: nil claims for an anonymous caller. It
// is [Keeper.Reserve], [Right.Admit] and [Right.Start] in one, and its error is theirs: a
// [*paseto.Error]. A nil route asks for nothing, and a nil holder is told nothing; the
// context of the right ends in any case. The caller releases the right when it is done.
func (k *Keeper) Open(ctx context.Context, claims *paseto.Claims, route *Route, holder Holder) (*Right, error) {
	r, err := k.Reserve(ctx, route, holder)
	if err != nil {
		return nil, err
	}
	err = r.Admit(ctx, claims)
	if err == nil && !r.Start() {
		err = r.cause()
	}
	if err != nil {
		r.Release()
		return nil, err
	}
	return r, nil
}

// OpenToken verifies a token, empty for none, by the route's requirement, and opens a right
// for it. The error is that of [paseto.Authorizer.Verify] or of [Keeper.Open].
func (k *Keeper) OpenToken(ctx context.Context, token string, route *Route, holder Holder) (*Right, error) {
	if route == nil {
		route = new(Route)
	}
	claims, err := k.auth.Verify(ctx, token, route.Requirement)
	if err != nil {
		return nil, err
	}
	return k.Open(ctx, claims, route, holder)
}

// Reserve takes a place for a right that may come to be, before anything is used up for it
// that cannot be given back. The context of the right has the values of ctx, and ends with
// it at the latest. The error is [ErrOverload] or [ErrShutdown]. The caller releases the
// right in any case, also if it is never admitted.
func (k *Keeper) Reserve(ctx context.Context, route *Route, holder Holder) (*Right, error) {
	if route == nil {
		route = &anyRoute
	}
	r := &Right{keeper: k, route: route, holder: holder}
	r.ctx, r.cancel = context.WithCancelCause(&values{ctx, r})
	if err := k.rights.reserve(r); err != nil { // from then on anybody may end it
		r.cancel(err)
		return nil, err
	}
	return r, nil
}

// Admit gives a right its claims, nil for an anonymous caller. The right is registered
// first, so that a revocation finds it, and then checked again: a revocation since the
// token was verified would not have found it. Then it is counted for its subject. The claims
// are in force, and the greatest age counts, when Admit has returned nil.
//
// An anonymous right may be admitted again, with claims. One that has claims is refused
// with [ErrOtherSubject], and keeps them: see [Right.Renew].
//
// The error is a refusal: that of [paseto.Authorizer.Recheck], [ErrTooMany],
// [paseto.ErrUnavailable] if leases cannot be asked for; or the cause, if the right has
// ended. Nothing is in force then, and nothing counts.
func (r *Right) Admit(ctx context.Context, claims *paseto.Claims) error {
	r.changing.Lock()
	defer r.changing.Unlock()
	return r.admitNow(ctx, claims)
}

// admitNow is called with the right locked for changes.
func (r *Right) admitNow(ctx context.Context, claims *paseto.Claims) error {
	if r.Claims() != nil && !r.Ended() {
		return refusal.Newf(ErrOtherSubject, "the right has a token already; renew it")
	}
	k := r.keeper
	k.start()
	err := r.admit(ctx, claims)
	switch {
	case r.Ended():
		return r.cause()
	case err != nil:
		k.rights.bind(r, nil)
		if failed := r.lease.Load(); failed != nil { // perhaps given, and the answer lost
			k.giveBack(failed)
		}
		return err
	}
	r.claims.Store(claims)
	r.begin()
	return nil
}

func (r *Right) admit(ctx context.Context, claims *paseto.Claims) error {
	k := r.keeper
	if !k.rights.bind(r, claims) || claims == nil {
		return nil // it has ended, or nobody can end it but by its age
	}
	r.checked.Store(int64(k.times.moment()))
	if err := k.auth.Recheck(ctx, claims); err != nil {
		return err
	}
	switch {
	case k.cfg.PerSubject == 0, claims.Subject == "":
		return nil
	case k.leases != nil: // by which all keepers agree on who is the oldest
		return r.acquire(ctx, claims)
	}
	displaced, ok := k.rights.countIn(r, k.cfg.PerSubject, k.cfg.OnExcess == ReplaceOldest)
	for _, oldest := range displaced {
		oldest.End(refusal.New(ErrReplaced))
	}
	if !ok {
		return refusal.New(ErrTooMany)
	}
	return nil
}

// Start opens an admitted right: it counts as open, [Keeper.Rights] yields it, and the
// observer is told. It returns false if the right has ended already, was never admitted, or
// is open. The caller releases it after Start has returned, so that the observer is told in
// this order.
func (r *Right) Start() bool {
	if r.began.Load() == 0 || !r.keeper.rights.opened(r) {
		return false
	}
	r.keeper.Report(Event{Kind: EventOpened, Right: r, Claims: r.Claims()})
	return true
}

// End ends the right for a cause, unless it has ended already, and tells its holder. It
// reports whether this call has ended it. What the right was for may take a moment to be
// gone; it keeps its place until [Right.Release].
func (r *Right) End(cause error) bool {
	if !r.GiveUp(cause) {
		return false
	}
	if r.holder != nil {
		r.tell(func() { r.holder.RightEnded(cause) })
	}
	return true
}

// cut has the holder end without ceremony, if it can.
func (r *Right) cut() {
	if cutter, ok := r.holder.(Cutter); ok {
		r.tell(cutter.Cut)
	}
}

// tell calls a method of the holder.
func (r *Right) tell(call func()) {
	defer func() {
		if panicked := recover(); panicked != nil { // else it would end the program
			r.keeper.noisy.WriteAbout(r.ctx, r.route.Name, slog.LevelError, "holder of a right panicked when it ended",
				"panic", panicked, "stack", clientlog.Stack(debug.Stack()))
		}
	}()
	call()
}

// GiveUp is [Right.End] for the holder itself, which is not told.
func (r *Right) GiveUp(cause error) bool {
	if !r.ended.CompareAndSwap(false, true) {
		return false
	}
	k := r.keeper
	k.rights.ended(r)
	k.deadlines.Remove(r)
	if held := r.lease.Load(); held != nil && held.renewable.Load() { // else its admission is still under way
		k.giveBack(held)
	}
	r.cancel(cause)
	return true
}

// Returned notes that the application's handler has returned, so that a shutdown does not
// name it among those that it waits for in vain.
func (r *Right) Returned() { r.keeper.rights.returned(r) }

// Release gives the place of the right back. It ends the right with [ErrClosed] if nothing
// has. The holder calls it when what the right was for is gone; more than once does no harm.
func (r *Right) Release() {
	k := r.keeper
	r.GiveUp(refusal.New(ErrClosed))
	if held := r.lease.Load(); held != nil {
		k.giveBack(held)
	}
	if k.rights.release(r) {
		k.Report(Event{Kind: EventEnded, Right: r, Claims: r.Claims(), Err: r.cause()})
	}
}
