// Command chat is a chat room whose sockets live and die with their tokens. It
// starts without any configuration; README.md says what to look at.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/pasetokit/pasetokit/config"
	_ "github.com/pasetokit/pasetokit/config/bolt"  // denylist.store: bolt
	_ "github.com/pasetokit/pasetokit/config/redis" // denylist.store: redis
	"github.com/pasetokit/pasetokit/paseto/httpauth"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:8080", "`address` to listen on; port 0 takes any free one")
	file := flag.String("config", "", "configuration `file` (yaml, toml or json)")
	server := flag.String("server", "", "`origin` of another chat, which the page is to talk to instead of this one")
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "chat: unexpected argument %q; -help lists the flags\n", flag.Arg(0))
		os.Exit(2)
	}

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	if err := run(ctx, *addr, *file, *server, os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "chat:", oneLine(err))
		os.Exit(1)
	}
}

// run serves the chat until ctx ends, and a page that talks to the server, if
// one is given. What a person should know goes to stderr; stdout gets the one
// line that says where the chat is.
func run(ctx context.Context, addr, file, server string, stdout, stderr io.Writer) error {
	person := log.New(stderr, "", 0)
	if server != "" {
		if err := checkServer(server); err != nil {
			return err
		}
	}
	cfg, err := configure(file, person)
	if err != nil {
		return err
	}
	logger := slog.New(slog.NewTextHandler(stderr, nil))
	kit, err := config.Open(ctx, cfg, config.WithLogger(logger), config.WithConnContext(withVisit))
	if err != nil {
		return err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err != nil {
		return errors.Join(listenError(addr, err), kit.Close())
	}

	chat := &http.Server{
		Handler:           routes(kit, newUsers(), server),
		ReadHeaderTimeout: patience,
		ReadTimeout:       patience,
		WriteTimeout:      patience,
		IdleTimeout:       2 * patience,
		MaxHeaderBytes:    32 << 10,
		ErrorLog:          httpauth.ErrorLog(logger),
	}
	served := make(chan error, 1)
	go func() { served <- chat.Serve(listener) }()
	url := "http://" + reachable(listener.Addr())
	_, _ = fmt.Fprintln(stdout, "listening on "+url) // nobody may be listening
	person.Printf("Open %s and log in as %s; the password is %q. Ctrl-C stops.",
		url, strings.Join(userNames(), ", "), demoPassword)
	if server != "" {
		person.Printf("The page talks to %s. Start that one with %[3]sWEBSOCKET__ALLOWED_ORIGINS=%[2]s and %[3]sHTTP__ALLOWED_ORIGINS=%[2]s.",
			server, url, config.EnvPrefix)
	}

	select {
	case err = <-served:
	case <-ctx.Done():
		person.Print("Stopping: closing every connection.")
	}
	return errors.Join(err, shutDown(context.WithoutCancel(ctx), chat, kit))
}

// patience is how long a client may take for a request and its answer, and all of
// them to go when the chat stops: a busy machine needs longer than one expects.
const patience = time.Minute

// shutDown ends what takes requests and sockets before what they need.
func shutDown(ctx context.Context, server *http.Server, kit *config.Kit) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return errors.Join(kit.Guard.Shutdown(ctx, server), kit.Close())
}

// reachable returns the address as a browser on this machine can open it.
func reachable(addr net.Addr) string {
	if tcp, ok := addr.(*net.TCPAddr); ok && tcp.IP.IsUnspecified() {
		return fmt.Sprintf("localhost:%d", tcp.Port)
	}
	return addr.String()
}

// listenError adds what to do about it.
func listenError(addr string, err error) error {
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("%s is in use by another program; stop that, or choose another address: -addr 127.0.0.1:0 takes any free port", addr)
	}
	return fmt.Errorf("cannot listen on %s: %w; choose another address with -addr", addr, err)
}

// oneLine returns the text of an error that may have several lines.
func oneLine(err error) string {
	var parts []string
	for line := range strings.Lines(err.Error()) {
		parts = append(parts, strings.TrimSpace(line))
	}
	return strings.Join(parts, " | ")
}
