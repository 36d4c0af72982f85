package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/pasetokit/pasetokit/config"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
	"github.com/pasetokit/pasetokit/wsauth"
)

var (
	kit *config.Kit
	mux *http.ServeMux
)

func main() {
	if err := serve(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// serve serves with the configuration files until the program is told to end.
func serve(files []string) error {
	cfg, err := config.Load(files...)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	kit, err := config.Open(context.Background(), cfg, config.WithLogger(log))
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	listener, err := net.Listen("tcp", os.Getenv("ADDRESS"))
	if err != nil {
		return err
	}
	server := &http.Server{Handler: handler(kit, log), ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(listener) }()
	<-ctx.Done()
	return errors.Join(kit.Guard.Shutdown(context.Background(), server), kit.Close())
}

func handler(kit *config.Kit, log *slog.Logger) http.Handler {
	hash := httpauth.HashPassword(paseto.NewSecret("demo"))
	users := map[string]user{
		"alice":   {Hash: hash, Roles: []string{"projects"}, Plan: "free"},
		"mallory": {Hash: hash, Locked: true},
	}
	mux := routes(kit, users)
	mux.Handle("POST /password", changePassword(kit, users))
	guarded(mux, kit.HTTP)
	return kit.HTTP.CORS(logged(log, mux))
}

func logged(log *slog.Logger, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := &recorder{ResponseWriter: w, status: http.StatusOK}
		next.ServeHTTP(rec, r)
		log.InfoContext(r.Context(), "request", "method", r.Method, "path", r.URL.Path, "status", rec.status)
	})
}

type recorder struct {
	http.ResponseWriter
	status int
}

func (r *recorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}

func projects(w http.ResponseWriter, r *http.Request) {
	fmt.Fprintln(w, "projects of", paseto.FromContext(r.Context()).Subject)
}

func reports(w http.ResponseWriter, _ *http.Request)       { fmt.Fprintln(w, "reports") }
func deleteAccount(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "deleted") }

func basket(w http.ResponseWriter, r *http.Request) {
	claims := paseto.FromContext(r.Context())
	var footer struct{ Tenant string }
	if err := claims.DecodeFooter(&footer); err != nil {
		http.Error(w, err.Error(), http.StatusForbidden)
		return
	}
	fmt.Fprintln(w, claims.Subject, "in", footer.Tenant)
}

func chat(_ context.Context, conn *wsauth.Conn) {
	_ = conn.WriteMessage(wsauth.TextMessage, []byte("hello, "+conn.Claims().Subject))
}
