package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
)

func main() {
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	fmt.Fprintln(os.Stderr, serve(context.Background(), os.Getenv("ADDRESS"), log))
	os.Exit(1)
}
