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
	// renewExcess is how many renewals too many, one after the other, end a right:
	// its client does not listen.
	renewExcess = 100
)

// Renew replaces the token of the right by a newer one, so that the right lasts on: one of
// the same subject and session that meets the route's requirement, is not revoked
// and does not expire before the present one. The requirement's Check sees the values of
// the right's context, and those of ctx for what that has none of; it ends with either.
//
// The error is that of [paseto.Authorizer.Verify], [ErrOtherSubject], [ErrOlder] or
// [ErrRenewals]; the right then goes on with its present token, or ends,
// as [Config.RenewFailure] says. A hundred times ErrRenewals in a row end it in any
// case. Once the right has ended the error is the cause.
//
// Where [Route.AllowLogin] is true, an anonymous right gets the claims of the token; the
// errors are then those of [Right.Admit] too.
func (r *Right) Renew(ctx context.Context, token string) error {
	return r.renewBy(ctx, func() error { return r.renew(ctx, token) })
}

// RefuseRenewal counts an attempt to renew that brought no token, such as a message that
// is malformed, and has the consequences of a renewal that is refused with err. It returns
// what [Right.Renew] would.
func (r *Right) RefuseRenewal(ctx context.Context, err error) error {
	return r.renewBy(ctx, func() error { return err })
}

func (r *Right) renewBy(ctx context.Context, attempt func() error) error {
	r.changing.Lock()
	defer r.changing.Unlock()
	k := r.keeper
	if !r.mayRenew() { // a flood is not to fill the log
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

// outcome returns the cause, if the right has ended, or else err.
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
	// What was revoked before the right could be found by its new claims has
	// not ended it.
	switch err := k.auth.Recheck(r.ctx, claims); { //nolint:contextcheck // It is the right's concern now.
	case err == nil:
		r.checked.Store(int64(k.times.moment()))
	case isOutage(err):
		signal(k.missed)
	default:
		r.End(err)
	}
	return nil
}

// mayRenew counts an attempt to renew, unless there were too many of late.
func (r *Right) mayRenew() bool {
	now, interval := int64(r.keeper.times.moment()), int64(r.keeper.cfg.RenewInterval)
	if r.renewed = max(r.renewed, now); r.renewed-now > (renewBurst-1)*interval {
		return false
	}
	r.renewed += interval
	r.excess = 0
	return true
}

// RenewSession renews, as [Right.Renew] does, every open right of this process that has the
// subject and the session of a token which meets req. It returns those that were renewed.
// The error is that of [paseto.Authorizer.Verify], and else joins those of the rights that
// were not.
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

// whileOpen returns a context that ends with ctx, or with the right.
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

// checkContext is the context of a check. It ends as one context does, and has the values
// of others.
type checkContext struct {
	context.Context
	values, more context.Context // more is for what is not among values
}

// Value implements [context.Context].
func (ctx checkContext) Value(key any) any {
	if value := ctx.values.Value(key); value != nil {
		return value
	}
	return ctx.more.Value(key)
}
