package live

import (
	"context"
	"errors"
	"log/slog"

	"github.com/pasetokit/pasetokit/internal/refusal"
	"github.com/pasetokit/pasetokit/paseto"
)

const (
	// renewBurst is how many renewals may come at once before [Config.RenewInterval]
	// counts.
	renewBurst = 5
	// renewExcess is how many attempts in a row beyond that end a right: its client ignores
	// the refusals.
	renewExcess = 100
)

// Renew replaces the token of the right by a newer one, so that the right lasts longer. The
// newer token must be of the same subject and session, meet the route's requirement, not be
// revoked, and not expire before the present one. The context of the requirement's Check has
// the values of the right's context, and then those of ctx. It ends when either of them ends.
//
// The error is that of [paseto.Authorizer.Verify], [ErrOtherSubject], [ErrOlder] or
// [ErrRenewals]. After it the right keeps its present token, or ends, as
// [Config.RenewFailure] says. It ends in any case after ErrRenewals a hundred times in a row.
// When the right has ended, the error is the cause.
//
// If [Route.AllowLogin] is true, an anonymous right gets the claims of the token. Then the
// error may also be that of [Right.Admit].
func (r *Right) Renew(ctx context.Context, token string) error {
	return r.renewBy(ctx, func() error { return r.renew(ctx, token) })
}

// RefuseRenewal handles an attempt to renew that brought no token, such as a malformed
// message: it counts the attempt, and then does what [Right.Renew] does when a renewal is
// refused with err. It returns what Renew would return.
func (r *Right) RefuseRenewal(ctx context.Context, err error) error {
	return r.renewBy(ctx, func() error { return err })
}

func (r *Right) renewBy(ctx context.Context, attempt func() error) error {
	r.changing.Lock()
	defer r.changing.Unlock()
	k := r.keeper
	if !r.mayRenew() { // not logged: otherwise many attempts would fill the log
		err := refusal.New(ErrRenewals)
		r.excess++
		if r.excess >= renewExcess || k.cfg.RenewFailure == RenewFailureEnds {
			r.End(err)
		}
		return r.outcome(err)
	}
	err := attempt()
	switch {
	case r.Ended():
	case err == nil:
		k.Report(Event{Kind: EventRenewed, Right: r, Claims: r.Claims()})
	default:
		k.noisy.WriteAbout(ctx, r.subject(), slog.LevelInfo, "renewal refused", "err", err, "route", r.route.Name, "claims", r.Claims())
		k.Report(Event{Kind: EventRenewalRefused, Right: r, Claims: r.Claims(), Err: err})
		if k.cfg.RenewFailure == RenewFailureEnds && !isOutage(err) {
			r.End(err)
		}
	}
	return r.outcome(err)
}

// outcome returns the cause if the right has ended, and otherwise err.
func (r *Right) outcome(err error) error {
	if r.Ended() {
		return r.cause()
	}
	return err
}

func (r *Right) subject() string {
	if c := r.Claims(); c != nil {
		return c.Subject
	}
	return ""
}

func (r *Right) renew(ctx context.Context, token string) error {
	k, required := r.keeper, r.route.Requirement
	required.Optional = false
	if check := required.Check; check != nil {
		required.Check = func(ctx context.Context, claims *paseto.Claims) error {
			return check(checkContext{Context: ctx, values: context.WithoutCancel(r.ctx), more: ctx}, claims) //nolint:contextcheck // It ends with ctx.
		}
	}
	ctx, stop := r.whileOpen(ctx)
	defer stop()
	claims, err := k.auth.Verify(ctx, token, required)
	if err != nil {
		return err
	}
	present := r.Claims()
	if present == nil && r.route.AllowLogin {
		return r.admitNow(ctx, claims)
	}
	if present == nil || claims.Subject != present.Subject || claims.Session != present.Session {
		return refusal.New(ErrOtherSubject)
	}
	if before, after := k.auth.Deadline(present), k.auth.Deadline(claims); !after.IsZero() && (before.IsZero() || after.Before(before)) {
		return refusal.Newf(ErrOlder, "it expires at %s, the present one at %s", after, before)
	}
	if !k.rights.bind(r, claims) {
		return nil // it has ended
	}
	r.claims.Store(claims)
	r.expireLater()
	// A revocation of the new token may have come before the index had the new claims. It
	// did not end the right then, so ask once more.
	asking, cancel := context.WithTimeout(r.ctx, recheckTimeout)
	defer cancel()
	switch err := k.auth.Recheck(asking, claims); { //nolint:contextcheck // The caller's context does not matter any more.
	case err == nil:
		r.checked.Store(int64(k.times.moment()))
	case isOutage(err):
		signal(k.missed)
	default:
		r.End(err)
	}
	return nil
}

// mayRenew counts an attempt to renew, and reports whether it is within the limit.
func (r *Right) mayRenew() bool {
	now, interval := int64(r.keeper.times.moment()), int64(r.keeper.cfg.RenewInterval)
	if r.renewed = max(r.renewed, now); r.renewed-now > (renewBurst-1)*interval {
		return false
	}
	r.renewed += interval
	r.excess = 0
	return true
}

// RenewSession verifies a token by req. Then it renews every open right of this process that
// has the token's subject and session, as [Right.Renew] does. It returns the rights that were
// renewed. The error is that of [paseto.Authorizer.Verify], or joins the errors of the rights
// that were not renewed.
func (k *Keeper) RenewSession(ctx context.Context, token string, req paseto.Requirement) (renewed []*Right, err error) {
	req.Optional = false
	claims, err := k.auth.Verify(ctx, token, req)
	if err != nil {
		return nil, err
	}
	kind, name := bySession, claims.Session
	if name == "" {
		kind, name = bySubject, claims.Subject
	}
	var errs []error
	for _, r := range k.rights.openOf(kind, name) {
		if present := r.Claims(); present == nil || present.Session != claims.Session || present.Subject != claims.Subject {
			continue
		}
		if err := r.Renew(ctx, token); err != nil {
			errs = append(errs, err)
			continue
		}
		renewed = append(renewed, r)
	}
	return renewed, errors.Join(errs...)
}

// whileOpen returns a context that ends when ctx or the right ends.
func (r *Right) whileOpen(ctx context.Context) (_ context.Context, stop func()) {
	if ctx == r.ctx {
		return ctx, func() {}
	}
	ctx, cancel := context.WithCancelCause(ctx)
	unwatch := context.AfterFunc(r.ctx, func() { cancel(r.cause()) })
	return ctx, func() {
		unwatch()
		cancel(nil)
	}
}

// checkContext is the context of a Check. It ends with one context, and has the values of two
// others.
type checkContext struct {
	context.Context
	values, more context.Context // more is asked for what values does not have
}

// Value implements [context.Context].
func (ctx checkContext) Value(key any) any {
	if value := ctx.values.Value(key); value != nil {
		return value
	}
	return ctx.more.Value(key)
}
