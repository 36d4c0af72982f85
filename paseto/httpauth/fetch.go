package httpauth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pasetokit/pasetokit/internal/rfc3339"
	"github.com/pasetokit/pasetokit/internal/strictjson"
	"github.com/pasetokit/pasetokit/paseto"
)

const (
	// fetchTimeout bounds a fetch of remote keys, and so its goroutine.
	fetchTimeout = 10 * time.Second
	// maxKeysBody bounds what is read of published keys, in bytes.
	maxKeysBody = 256 << 10

	minKeysAge     = time.Minute
	defaultKeysAge = 5 * time.Minute
	maxKeysAge     = 24 * time.Hour
)

// fetched is a good answer: keys, or that they are the same as before.
type fetched struct {
	keys []remoteKey
	same bool
	etag string
	age  time.Duration
}

// fetch asks for the keys and keeps what it gets.
func (k *RemoteKeys) fetch(ctx context.Context, etag string) {
	timed, cancel := context.WithTimeout(ctx, fetchTimeout)
	answer, err := k.ask(timed, etag)
	cancel()

	k.mu.Lock()
	defer k.mu.Unlock()
	defer func() {
		close(k.running)
		k.running = nil
	}()
	if k.err = err; err != nil {
		k.err = fmt.Errorf("httpauth: remote keys: %w", err)
		k.log.ErrorContext(ctx, "remote keys cannot be fetched", "err", err, "url", k.url, "in_force", keyIDs(k.keys))
		return
	}
	k.fetched = k.wall()
	k.expires = k.fetched.Add(answer.age)
	if answer.same {
		return
	}
	if !k.good || !slices.EqualFunc(k.keys, answer.keys, sameKey) {
		k.log.InfoContext(ctx, "remote keys changed", "keys", keyIDs(answer.keys), "url", k.url)
	}
	k.keys, k.etag, k.good = answer.keys, answer.etag, true
}

func sameKey(a, b remoteKey) bool { return a.kid == b.kid && a.NotAfter().Equal(b.NotAfter()) }

func keyIDs(keys []remoteKey) []string {
	ids := make([]string, len(keys))
	for i, key := range keys {
		ids[i] = key.kid
	}
	return ids
}

// ask sends one request and reads the answer.
func (k *RemoteKeys) ask(ctx context.Context, etag string) (fetched, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, k.url, http.NoBody)
	if err != nil {
		return fetched{}, err
	}
	r.Header.Set("Accept", "application/json")
	r.Header.Set("Cache-Control", "no-cache") // a cache on the way may be older than the new key
	if etag != "" {
		r.Header.Set("If-None-Match", etag)
	}
	res, err := k.client.Do(r)
	if err != nil {
		return fetched{}, err
	}
	defer res.Body.Close() //nolint:errcheck // it was only read
	answer := fetched{etag: res.Header.Get("ETag"), age: keysAge(res.Header)}
	switch {
	case res.StatusCode == http.StatusNotModified && etag != "":
		answer.same = true
		return answer, nil
	case res.StatusCode != http.StatusOK:
		return fetched{}, fmt.Errorf("expected status 200, got %d", res.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, maxKeysBody+1))
	switch {
	case err != nil:
		return fetched{}, err
	case len(body) > maxKeysBody:
		return fetched{}, fmt.Errorf("the answer has more than %d bytes", maxKeysBody)
	}
	answer.keys, err = parsePublished(body)
	return answer, err
}

// keysAge returns how long an answer may be kept.
func keysAge(h http.Header) time.Duration {
	age := defaultKeysAge
	for directive := range strings.SplitSeq(strings.Join(h.Values("Cache-Control"), ","), ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(directive), "=")
		switch seconds, err := strconv.ParseUint(strings.Trim(value, `"`), 10, 31); {
		case strings.EqualFold(name, "no-store"), strings.EqualFold(name, "no-cache"):
			return minKeysAge
		case strings.EqualFold(name, "max-age") && err == nil:
			age = time.Duration(seconds) * time.Second
		}
	}
	return min(max(age, minKeysAge), maxKeysAge)
}

// parsePublished reads what [Web.Keys] writes. Members of other names are for
// later versions, and not looked at. One key at fault has all of it refused.
func parsePublished(body []byte) ([]remoteKey, error) {
	var list json.RawMessage
	err := strictjson.Object(body, func(name string, value json.RawMessage) error {
		if name == "keys" {
			list = value
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	var entries []json.RawMessage
	if err := json.Unmarshal(list, &entries); err != nil || entries == nil {
		return nil, errors.New("expected a list of keys in the member keys")
	}
	if len(entries) > maxPublished {
		return nil, fmt.Errorf("there are %d keys; at most %d are taken", len(entries), maxPublished)
	}
	keys := make([]remoteKey, len(entries))
	for i, entry := range entries {
		if keys[i], err = parsePublishedKey(entry); err != nil {
			return nil, fmt.Errorf("keys[%d]: %w", i, err)
		}
		if slices.ContainsFunc(keys[:i], func(k remoteKey) bool { return k.kid == keys[i].kid }) {
			return nil, fmt.Errorf("keys[%d]: the same key occurs twice", i)
		}
	}
	return keys, nil
}

// maxPublished bounds the keys that a service may publish: no token is tried
// with more.
const maxPublished = 32

// remoteKey is a key beside its kid.
type remoteKey struct {
	paseto.Key
	kid string
}

func parsePublishedKey(entry json.RawMessage) (remoteKey, error) {
	var kid, paserk, notAfter string
	fields := map[string]*string{"kid": &kid, "paserk": &paserk, "not_after": &notAfter}
	err := strictjson.Object(entry, func(name string, value json.RawMessage) error {
		if field, known := fields[name]; known && (json.Unmarshal(value, field) != nil || *field == "") {
			return fmt.Errorf("%s is no string, or empty", name)
		}
		return nil
	})
	if err != nil {
		return remoteKey{}, err
	}
	key, err := paseto.ParseKey(paserk)
	switch {
	case err != nil:
		return remoteKey{}, err
	case key.CanIssue() || key.Purpose() != paseto.Public:
		return remoteKey{}, errors.New("it is a secret or local key, which must never be published: who has read it can issue tokens; replace it")
	case key.Export() != paserk:
		return remoteKey{}, errors.New("expected a PASERK (k4.public.…)")
	case key.KeyID() != kid:
		return remoteKey{}, errors.New("its kid is another key's")
	}
	if notAfter != "" {
		end, ok := rfc3339.Parse(notAfter)
		if !ok || end.IsZero() {
			return remoteKey{}, errors.New("not_after is no time such as 2030-01-31T12:00:00Z")
		}
		key = key.Retire(end)
	}
	return remoteKey{Key: key, kid: kid}, nil
}
