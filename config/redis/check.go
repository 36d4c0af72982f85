package redis

import (
	"log/slog"
	"strings"

	"github.com/pasetokit/pasetokit/config/internal/driver"
	"github.com/pasetokit/pasetokit/config/internal/secretfile"
	"github.com/pasetokit/pasetokit/internal/settings"
	"github.com/pasetokit/pasetokit/paseto"
)

// Validate reports everything that is wrong with the settings, as an error that wraps
// [paseto.ErrConfig]. It reads no file and asks no server.
func (s *Settings) Validate() error {
	problems := settings.In(s.Config.Validate())
	for _, p := range settings.Check(s.TLS) {
		p.Path = "TLS." + p.Path
		problems = append(problems, p)
	}
	for _, p := range s.passwords() {
		if p.file != "" && !p.secret.IsZero() {
			problems.Add(p.path, p.file, "the password itself is set as well; keep one of them")
		}
	}
	if s.SentinelMaster == "" && s.SentinelCredentials == nil { // else Config.Validate says so
		for _, set := range []struct {
			path string
			is   bool
		}{
			{"SentinelUsername", s.SentinelUsername != ""},
			{"SentinelPassword", !s.SentinelPassword.IsZero()},
			{"SentinelPasswordFile", s.SentinelPasswordFile != ""},
		} {
			if set.is {
				problems.Add(set.path, nil, "it is not used without {SentinelMaster}; name the primary that the Sentinels watch")
			}
		}
	}
	if (s.TLS.CertFile == "") != (s.TLS.KeyFile == "") {
		problems.Add("TLS.CertFile", s.TLS.CertFile, "goes together with {TLS.KeyFile}; set both or neither")
	}
	return problems.Err(paseto.ErrConfig)
}

type password struct {
	path   string // of the field that names the file
	secret paseto.Secret
	file   string
}

func (s *Settings) passwords() []password {
	return []password{
		{"PasswordFile", s.Password, s.PasswordFile},
		{"SentinelPasswordFile", s.SentinelPassword, s.SentinelPasswordFile},
	}
}

// Check adds the broken rules between settings.
func (s *Settings) Check(add driver.Add) {
	for _, p := range settings.In(s.Validate()) {
		if !p.Tag {
			add(p.Path, p.Value, p.Rule)
		}
	}
}

// CheckFiles adds the files that cannot be read, or are no passwords and certificates.
func (s *Settings) CheckFiles(add driver.Add) {
	s.connection(slog.New(slog.DiscardHandler), add)
}

// Private returns the files with passwords, and with the key of the client's certificate.
func (s *Settings) Private() []driver.File {
	var files []driver.File
	for _, file := range []driver.File{
		{Path: s.PasswordFile, Kind: "password"}, {Path: s.SentinelPasswordFile, Kind: "password"}, {Path: s.TLS.KeyFile, Kind: "key"},
	} {
		if file.Path != "" {
			files = append(files, file)
		}
	}
	return files
}

// Notes reports passwords with white space around them.
func (s *Settings) Notes(note func(path, text string)) {
	for _, p := range s.passwords() {
		if p.file == "" {
			continue
		}
		if text, err := secretfile.Password(p.file); err == nil && strings.TrimSpace(text) != text {
			note(p.path, "the password begins or ends with white space, which is part of it; one line break at its end is not")
		}
	}
}
