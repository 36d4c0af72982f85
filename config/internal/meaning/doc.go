// Package meaning says what each setting does, in the words of the doc comment at its
// field. The file meaning.go is generated; run go generate ./config/... after a change.
package meaning

//go:generate go run ./generate
