package redis

import (
	"errors"
	"fmt"

	"github.com/redis/rueidis"
)

// rules are what a store asks of its servers, when it opens and as long as it is open.
type rules struct {
	mode    rueidis.ClientMode
	evicts  bool // a server may drop records when its memory is full
	appends bool // every server keeps its records in a file, as all did at the opening
}

// broken says why a server may not be used. The text continues "the server ADDRESS".
func (r rules) broken(s server) error {
	cluster := r.mode == rueidis.ClientModeCluster
	switch {
	case s.mode == "sentinel":
		return errors.New("is a Sentinel; name by SentinelMaster the primary that it watches")
	case cluster && s.mode != "cluster":
		return errors.New("is not in cluster mode any more; open the store anew if that is meant")
	case !cluster && s.mode == "cluster":
		return errors.New("is in cluster mode, but did not tell of the other nodes when the store was opened; " +
			grantIt + ", or open the store anew if it was made one since")
	case !cluster && s.role != primary: // in a cluster it says itself what it has not got
		return fmt.Errorf("is a %s; give an address that leads to the primary, or those of the Sentinels and SentinelMaster", s.role)
	case s.evicting() && !r.evicts:
		return fmt.Errorf("drops records when its memory is full (maxmemory is %s and maxmemory-policy %s), "+
			"and what was revoked would be valid again; set maxmemory-policy to noeviction there, or AllowEviction here",
			s.memory, s.policy)
	case r.appends && !s.appends && s.untold == nil:
		return errors.New("forgets its records when it restarts, which it did not when the store was opened; " +
			"set appendonly to yes there, or open the store anew if that is meant")
	}
	return nil
}

// evicting reports that the server drops records, as far as it tells.
func (s server) evicting() bool {
	return s.memory != "" && s.memory != "0" && s.policy != "noeviction"
}
