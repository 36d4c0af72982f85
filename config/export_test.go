package config

// What the tests of the public API share with those within.
var (
	BoltOf  = boltOf
	RedisOf = redisOf
)
