// Package inforce is how a context knows of claims that may be replaced by newer ones.
package inforce

// Key is the key of a context's claims: *paseto.Claims, or what has a method Claims that
// returns those in force.
type Key struct{}
