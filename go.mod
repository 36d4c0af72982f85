module github.com/pasetokit/pasetokit

go 1.26.0

require (
	aidanwoods.dev/go-paseto v1.6.0
	go.uber.org/goleak v1.3.0
	golang.org/x/crypto v0.58.0
)

require (
	aidanwoods.dev/go-result v0.3.1 // indirect
	github.com/stretchr/testify v1.9.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
)
