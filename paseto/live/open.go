package live

import (
	"context"
	"log/slog"
	"runtime/debug"

	"github.com/pasetokit/pasetokit/internal/clientlog"
	"github.com/pasetokit/pasetokit/internal/refusal"
	"github.com/pasetokit/pasetokit/paseto"
)

// Open opens a right for the claims of a token that was verified before, or for nil claims:
// those of an anonymous caller. It does [Keeper.Reserve], [Right.Admit] and [Right.Start] in
// one call, and returns their error, a [*paseto.Error]. With a nil route, a token need not
// meet any requirement. With a nil holder, only the context of the right tells of the end.
// The caller must release the right in the end.
func (k *Keeper) Open(ctx context.Context, claims *paseto.Claims, route *Route, holder Holder) (*Right, error) {
	r, err := k.Reserve(ctx, route, holder)
	if err != nil {
		return nil, err
	}
	opened := false
	defer func() {
		if !opened { // also if the denylist panics
			r.Release()
		}
	}()
	if err := r.Admit(ctx, claims); err != nil {
		return nil, err
	}
	if opened = r.Start(); !opened {
		return nil, r.cause()
	}
	return r, nil
}

// OpenToken verifies a token by the route's requirement, and opens a right for it. An empty
// token is an anonymous caller, whom only an optional requirement allows. The error is that
// of [paseto.Authorizer.Verify] or of [Keeper.Open].
func (k *Keeper) OpenToken(ctx context.Context, token string, route *Route, holder Holder) (*Right, error) {
	if route == nil {
		route = &anyRoute
	}
	claims, err := k.auth.Verify(ctx, token, route.Requirement)
	if err != nil {
		return nil, err
	}
	return k.Open(ctx, claims, route, holder)
}

// Reserve takes a place for a right, before anything is used up for it that cannot be given
// back, such as a ticket. The context of the right has the values of ctx, and ends with ctx
// if nothing has ended the right before. The error is [ErrOverload] or [ErrShutdown]. The
// caller must release the right, even if it is never admitted.
func (k *Keeper) Reserve(ctx context.Context, route *Route, holder Holder) (*Right, error) {
	if route == nil {
		route = &anyRoute
	}
	r := &Right{keeper: k, route: route, holder: holder}
	r.ctx, r.cancel = context.WithCancelCause(&values{ctx, r})
	if err := k.rights.reserve(r); err != nil { // from now on other goroutines may end it
		r.cancel(err)
		return nil, err
	}
	return r, nil
}

// Admit gives a right its claims, nil for an anonymous caller. It registers the right first,
// so that revocations find it. Then it checks the claims again, because a revocation since
// the token was verified has not found the right. Then it counts the right for its subject.
// When Admit has returned nil, the claims are in force, and [Config.MaxLifetime] begins.
//
// An anonymous right may be admitted again, with claims. A right that has claims keeps them,
// and the error is [ErrOtherSubject]: see [Right.Renew].
//
// The error is the cause if the right has ended. Otherwise it is a refusal: that of
// [paseto.Authorizer.Recheck], [ErrTooMany], or [paseto.ErrUnavailable] if leases cannot be
// asked for. After an error the claims are not in force and the right is not counted.
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
		return nil // it has ended, or it has no token that could be revoked
	}
	r.checked.Store(int64(k.times.moment()))
	if err := k.auth.Recheck(ctx, claims); err != nil {
		return err
	}
	switch {
	case k.cfg.PerSubject == 0, claims.Subject == "":
		return nil
	case k.leases != nil: // with them all keepers agree on which right is the oldest
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
// is open already. The caller must not release the right before Start has returned: the
// observer could be told of the end before the beginning.
func (r *Right) Start() bool {
	if r.began.Load() == 0 || !r.keeper.rights.opened(r) {
		return false
	}
	r.keeper.Report(Event{Kind: EventOpened, Right: r, Claims: r.Claims()})
	return true
}

// End ends the right for a cause, nil for [ErrClosed], unless it has ended already, and tells
// its holder. It reports whether this call has ended the right. The right keeps its place until
// [Right.Release], because the holder may need a moment to stop.
func (r *Right) End(cause error) bool {
	if cause == nil {
		cause = refusal.New(ErrClosed)
	}
	if !r.GiveUp(cause) {
		return false
	}
	if r.holder != nil {
		r.tell(func() { r.holder.RightEnded(cause) })
	}
	return true
}

// cut calls the method Cut of the holder, if it has one.
func (r *Right) cut() {
	if cutter, ok := r.holder.(Cutter); ok {
		r.tell(cutter.Cut)
	}
}

// tell calls a method of the holder, and logs a panic in it.
func (r *Right) tell(call func()) {
	defer func() {
		if panicked := recover(); panicked != nil { // otherwise it would end the program
			r.keeper.noisy.WriteAbout(r.ctx, r.route.Name, slog.LevelError, "holder of a right panicked when it ended",
				"panic", panicked, "stack", clientlog.Stack(debug.Stack()))
		}
	}()
	call()
}

// GiveUp is [Right.End] for the holder itself: [Holder.RightEnded] is not called.
func (r *Right) GiveUp(cause error) bool {
	if cause == nil {
		cause = refusal.New(ErrClosed)
	}
	if !r.ended.CompareAndSwap(false, true) {
		return false
	}
	k := r.keeper
	k.rights.ended(r)
	k.deadlines.Remove(r)
	if held := r.lease.Load(); held != nil && held.renewable.Load() { // otherwise Admit still runs, and gives it back
		k.giveBack(held)
	}
	r.cancel(cause)
	return true
}

// Returned records that the application's handler has returned, so that a shutdown does not
// log it as one that has not.
func (r *Right) Returned() { r.keeper.rights.returned(r) }

// Release gives the place of the right back. It also ends the right with [ErrClosed] if
// nothing has ended it before. Call it when what the right kept open is closed. More calls
// do no harm.
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
