package config

import (
	"github.com/pasetokit/pasetokit/config/bolt"
	"github.com/pasetokit/pasetokit/config/redis"
)

// boltOf returns the settings of the store bolt, and redisOf those of redis. It makes them
// where a configuration was made in code.
func boltOf(c *Config) *bolt.Settings {
	if c.Denylist.Bolt == nil {
		c.Denylist.Bolt = new(bolt.Settings)
	}
	of, _ := c.Denylist.Bolt.(*bolt.Settings)
	return of
}

func redisOf(c *Config) *redis.Settings {
	if c.Denylist.Redis == nil {
		c.Denylist.Redis = new(redis.Settings)
	}
	of, _ := c.Denylist.Redis.(*redis.Settings)
	return of
}
