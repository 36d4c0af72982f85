// Package holders is code to copy: it ends what other libraries keep open when the right to it ends, as wsauth and
// httpauth end theirs. docs/rights.md shows it. It is a module of its own, so that nobody who uses this project
// downloads those libraries.
package holders
