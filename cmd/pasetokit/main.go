// Command pasetokit makes and keeps keys, issues, inspects, verifies and revokes
// tokens, and checks configurations. `pasetokit help` lists its commands, docs/keys.md
// shows them at work.
package main

import "os"

func main() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }
