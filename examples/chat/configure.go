package main

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"log"
	"time"

	"github.com/pasetokit/pasetokit/config"
	"github.com/pasetokit/pasetokit/paseto"
	"github.com/pasetokit/pasetokit/paseto/httpauth"
)

// configure returns the configuration of the file and the environment. What
// neither of them sets is set for a demonstration.
func configure(file string, person *log.Logger) (*config.Config, error) {
	var files []string
	if file != "" {
		files = append(files, file)
	}
	cfg, err := config.Load(files...)
	if err != nil {
		return nil, fmt.Errorf("%w\nmend that, or start without -config and %s variables for the demonstration", err, config.EnvPrefix)
	}
	if file == "" {
		if err := demonstrate(cfg); err != nil {
			return nil, err
		}
	}
	if len(cfg.Token.Keys) == 0 {
		cfg.Token.Purpose = "local"
		cfg.Token.Keys = []config.Key{{Value: randomKey()}}
		person.Print("No key is configured, so this run has a random one: all logins end with it.")
	}
	return cfg, nil
}

// demonstrate gives what the environment does not set a value with more to see:
// every way to carry a token, tokens that one can watch expire, connections that
// outlive them, and few enough of these for one to take another's place.
func demonstrate(cfg *config.Config) error {
	settings, err := config.Settings()
	if err != nil {
		return err
	}
	for _, s := range settings {
		if set := demonstrations[s.Key]; set != nil && s.Source == "default" {
			set(cfg)
		}
	}
	return nil
}

// demonstrations has what a demonstration sets, by the key that it is for.
var demonstrations = map[string]func(*config.Config){
	"http.locations": func(cfg *config.Config) {
		cfg.HTTP.Locations = []httpauth.Location{httpauth.LocationHeader, httpauth.LocationCookie}
	},
	"websocket.locations": func(cfg *config.Config) {
		cfg.WebSocket.Locations = []httpauth.Location{httpauth.LocationHeader, httpauth.LocationCookie, httpauth.LocationSubprotocol}
		if !cfg.Denylist.Disabled {
			cfg.WebSocket.Locations = append(cfg.WebSocket.Locations, "ticket")
		}
	},
	"websocket.renew_messages": func(cfg *config.Config) { cfg.WebSocket.RenewMessages = true },
	"live.per_subject":         func(cfg *config.Config) { cfg.Live.PerSubject = 5 },
	"live.on_excess":           func(cfg *config.Config) { cfg.Live.OnExcess = "replace_oldest" },
	"token.access_ttl":         func(cfg *config.Config) { cfg.Token.AccessTTL = 2 * time.Minute },
}

func randomKey() paseto.Secret {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails
	return paseto.NewSecret(hex.EncodeToString(key))
}
