package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

func (a *app) version() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version of this program",
		Long:  "Print the version of this program, the commit that it was built from, and the version of Go.",
		Example: `  pasetokit version
  pasetokit version --json`,
		Args: atMost(0),
		RunE: a.do(func(*cobra.Command, []string) error {
			info, _ := debug.ReadBuildInfo() // which programs of Go 1.18 and later have
			v := versionOf(info)
			return a.print(v, v.text())
		}),
	}
}

type versionResult struct {
	Version  string `json:"version"`
	Commit   string `json:"commit,omitempty"`
	Modified bool   `json:"modified,omitempty"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

// versionOf returns what was built in, if anything.
func versionOf(info *debug.BuildInfo) versionResult {
	v := versionResult{Version: "(unknown)", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	if info == nil {
		return v
	}
	if info.Main.Version != "" {
		v.Version = info.Main.Version
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			v.Commit = s.Value
		case "vcs.modified":
			v.Modified = s.Value == "true"
		}
	}
	return v
}

func (v versionResult) text() string {
	text := "pasetokit " + v.Version
	if v.Commit != "" {
		text += " commit " + v.Commit
	}
	if v.Modified {
		text += " (modified)"
	}
	return fmt.Sprintf("%s %s %s\n", text, v.Go, v.Platform)
}
