package live

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/pasetokit/pasetokit/internal/schedule"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/internal/inforce"
)

// Route is what the rights of one route have in common. A program makes one for each route
// and does not change it afterwards.
type Route struct {
	// Name is the name of the route in logs, such as "GET /events".
	Name string
	// Requirement is what tokens have to meet: the token of [Keeper.OpenToken], and every
	// token that renews a right. The claims of [Keeper.Open] and [Right.Admit] are expected
	// to meet it already. Optional means nothing for a renewal, which always needs a token.
	Requirement paseto.Requirement
	// AllowLogin lets [Right.Renew] give an anonymous right the claims of a token. Default
	// false: that is refused with [ErrOtherSubject].
	AllowLogin bool
}

// anyRoute is the route of rights that were opened without one.
var anyRoute Route

// Holder is what a right keeps open, such as a connection. It is told when the right ends.
type Holder interface {
	// RightEnded tells the holder that the right has ended, and why. It is called once, on
	// any goroutine, after the right's context has ended. It must not block: other rights
	// end after it has returned. It is not called if [Right.GiveUp] or [Right.Release] has
	// ended the right.
	RightEnded(cause error)
}

// Cutter is a [Holder] that can stop at once, such as a connection that can be closed without
// a last message. [Keeper.Shutdown] calls Cut when it has no time left.
type Cutter interface {
	// Cut stops the holder at once. It must not block.
	Cut()
}

// Right is the right to keep something open, which a token gives. It ends once, for one
// cause. It is safe for concurrent use.
type Right struct {
	keeper *Keeper
	route  *Route
	holder Holder

	ctx    context.Context
	cancel context.CancelCauseFunc
	claims atomic.Pointer[paseto.Claims] // in force; nil: anonymous, or not known yet
	lease  atomic.Pointer[lease]         // nil if there is none to give back

	// The fields of the registry, which is locked when they are used.
	isOpened, hasReturned, isCounted bool
	place                            int32          // in the list of all rights, from 1; 0 for none
	bound                            *paseto.Claims // the claims that the index finds it by
	links                            links

	alarm     schedule.Alarm // in the keeper's deadlines
	began     atomic.Int64   // the moment when it was admitted, 0 if it was not; like the next ones in nanoseconds
	beganWall atomic.Int64   // the same by the Authorizer's clock, since the keeper was made
	expireAt  atomic.Int64   // the moment when the token expires, 0 for never
	checked   atomic.Int64   // the moment when the denylist was last asked

	changing sync.Mutex // held while claims are admitted or renewed
	renewed  int64      // the moment from which on all renewals of a burst are free again
	excess   int32      // refused with ErrRenewals since the last attempt that was not

	ended atomic.Bool // stands here because it fits beside excess: a Right stays small
}

// Claims returns the claims in force: those that the right was admitted with, or those of
// the last token that renewed it. They are nil for an anonymous right.
func (r *Right) Claims() *paseto.Claims { return r.claims.Load() }

// Context returns a context that ends with the right, or with the context that the right was
// opened with. [context.Cause] returns the cause: a [*paseto.Error] whose code is one of this
// package or of package paseto, or what [Right.End] or [Right.GiveUp] was called with.
// [paseto.FromContext] returns the claims in force.
func (r *Right) Context() context.Context { return r.ctx }

// Holder returns the holder that the right was opened with. It may be nil.
func (r *Right) Holder() Holder { return r.holder }

// Route returns the route that the right was opened for.
func (r *Right) Route() *Route { return r.route }

// Ended reports whether the right has ended. Its context ends right after that.
func (r *Right) Ended() bool { return r.ended.Load() }

// cause returns why the right has ended. It waits for the context, which ends a moment after
// the right is marked as ended.
func (r *Right) cause() error {
	<-r.ctx.Done()
	return context.Cause(r.ctx)
}

// values is the context that a right's own derives from: it has the claims in force.
type values struct {
	context.Context

	right *Right
}

// Value implements [context.Context].
func (v *values) Value(key any) any {
	if key == (inforce.Key{}) {
		return v.right
	}
	return v.Context.Value(key)
}
