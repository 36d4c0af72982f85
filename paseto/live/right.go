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
	// Name is what logs call the route, such as "GET /events".
	Name string
	// Requirement is what a token has to meet that renews a right. The token that a right is
	// opened with was verified before, with the same requirement. Optional does not count.
	Requirement paseto.Requirement
	// AllowLogin lets an anonymous right get the claims of a token by [Right.Renew].
	// Default false: that is refused with [ErrOtherSubject].
	AllowLogin bool
}

// anyRoute is that of rights which were opened for none.
var anyRoute Route

// Holder is what a right is for, such as a connection, and is told of its end.
type Holder interface {
	// RightEnded says that the right has ended, and why. It is called once, after the
	// right's context has ended, on any goroutine; it must not block, for it holds up the
	// end of other rights. It is not called for an end that the holder itself began with
	// [Right.GiveUp] or [Right.Release].
	RightEnded(cause error)
}

// Cutter is a [Holder] that can end without ceremony, which [Keeper.Shutdown] asks for when
// it has no time left.
type Cutter interface {
	// Cut ends what the right was for, now. It must not block.
	Cut()
}

// Right is what a token keeps open, until it ends: once, with one cause. It is safe for
// concurrent use.
type Right struct {
	keeper *Keeper
	route  *Route
	holder Holder

	ctx    context.Context
	cancel context.CancelCauseFunc
	claims atomic.Pointer[paseto.Claims] // in force; nil: anonymous, or not known yet
	lease  atomic.Pointer[lease]         // nil if there is none to give back

	// The registry's, and used with that locked.
	isOpened, hasReturned, isCounted bool
	place                            int32          // among all, from 1; 0 if it has none
	bound                            *paseto.Claims // by which it is found
	links                            links

	alarm     schedule.Alarm // in the keeper's deadlines
	began     atomic.Int64   // the moment when it was admitted, 0 if it was not; this and the next ones in nanoseconds
	beganWall atomic.Int64   // the same by the Authorizer's clock, since the keeper was made
	expireAt  atomic.Int64   // the moment when the token expires, 0 for never
	checked   atomic.Int64   // the moment when the denylist was last asked

	changing sync.Mutex // held while claims are admitted or renewed
	renewed  int64      // the moment by which renewals will have cost nothing
	excess   int32      // renewals too many since the last one that was not

	ended atomic.Bool // beside excess, so that a Right is no larger than it need be
}

// Claims returns the claims in force: those of the token that the right was admitted with,
// or of the last one that renewed it; nil if it is anonymous.
func (r *Right) Claims() *paseto.Claims { return r.claims.Load() }

// Context returns a context that ends with the right, or with the context that it was
// opened with. [context.Cause] says why: a [*paseto.Error] whose code is one of this
// package or of package paseto, or what [Right.GiveUp] was called with.
// [paseto.FromContext] returns the claims in force.
func (r *Right) Context() context.Context { return r.ctx }

// Holder returns what the right is for, nil if nobody was named.
func (r *Right) Holder() Holder { return r.holder }

// Route returns the route that the right was opened for.
func (r *Right) Route() *Route { return r.route }

// Ended reports whether the right has ended. Its context ends right after that.
func (r *Right) Ended() bool { return r.ended.Load() }

// cause returns why the right ended. Whoever ends it may not have said so yet.
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
