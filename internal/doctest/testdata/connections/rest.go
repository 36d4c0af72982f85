package app

import "github.com/pasetokit/pasetokit/wsauth"

type roomKey struct{}

var (
	guard *wsauth.Guard
	cfg   wsauth.Config
)
