// Package redis is a [denylist.Store] in Redis, for a service of many processes:
// what one revokes, all refuse. It works with a single server, with a primary
// that Sentinels watch and with a Redis Cluster. It is tested with Redis 7.0, and
// uses nothing that Redis 6.2 or Valkey has not got.
//
//	store, err := redis.Open(ctx, redis.Config{Addresses: []string{"redis.internal:6379"}})
//	if err != nil {
//		return err
//	}
//	defer store.Close()
//
// # What it promises
//
// A revocation is in Redis when Revoke returns, with the replicas that
// [Config.MinReplicas] asks for. The store that made it knows of it from then
// on. Other stores learn of it within milliseconds; one that was told of it by
// its Watch knows of it already. Of any number of callers of Consume in any number
// of processes exactly one is first; Redis decides.
//
// Answers of Revoked are kept in the memory of the process, and Redis takes them
// back as soon as they are out of date. A question that was asked before costs a
// few microseconds, and Redis nothing. When Redis cannot say that an answer is
// out of date, since it hangs or the network drops what it says, the store finds
// out within twice the [Config.Timeout] and forgets what it knew; and in any case
// after [Config.CacheTTL]. With [NoCache] Redis is asked every time.
//
// A watch misses nothing without saying so: whenever its connection was lost,
// or its server has lost the role of the primary, or is not the one any more that
// the Sentinels name, the next event says that revocations may have been missed.
// It comes when asking Revoked anew will find them.
//
// # What failure means
//
// While Redis cannot be reached, does not answer within [Config.Timeout], is
// loading its data or has no memory left, calls return errors that wrap
// [denylist.ErrUnavailable]: at once if the connection is refused, and after the
// Timeout if nobody answers. What is cached is no longer answered once the
// connection has broken. The store recovers by itself, and fails over with Redis;
// a call that was under way may have failed though Redis carried it out. To repeat
// a Revoke does no harm. To repeat a Consume tells that somebody was first, which
// may have been oneself: compare the winner's value.
//
// # What is checked, and when
//
// [Open] refuses a server that is no primary, one that drops records when its memory is
// full unless [Config.AllowEviction] is set, and one that is not of the kind that the
// addresses promise. The store goes on to ask: whenever it connects, and every few
// seconds over a new connection, since an address may lead elsewhere by then. It also
// asks for persistence: Open does not require it, but if all servers had an append-only
// file at the opening, each must have one as long as the store is open. Replicas of a
// cluster are held to the same rules, but for the role.
//
// A server that breaks a rule counts as away, and so does one that cannot be asked for
// ten seconds: its connections are dropped, no call is answered, not even from memory,
// and the address is tried again until it leads to a server that keeps the rules. In a
// cluster that holds for what is kept there. It is logged once, with the reason. What
// Redis dropped before the store noticed is lost; that is logged as an error, and what
// was revoked must be revoked again.
//
// All of that comes from HELLO and INFO, not from CONFIG. Where INFO is forbidden, a
// warning is logged, and only role and mode are checked. What INFO does not say, such as
// appendfsync and snapshots, is not checked.
//
// # Leases
//
// A [Store] is a [denylist.Leases] besides. Redis counts, by its own clock, so
// that of any number of processes none gets a place too many. It costs a round
// trip to acquire or release a lease; many are renewed in one.
//
// Leases are no records. They do not wait for the replicas of
// [Config.MinReplicas], and a server that restarts without its data or fails over
// may forget them. Their holders get them back by Renew; but whoever comes first
// takes the places.
//
// A watch tells at once of a lease that was displaced. For a holder whose watch was
// cut off, Redis knows for three times the ttl who was displaced: Renew
// reports such a lease as lost, be there room or not. To release a lost lease makes
// Redis forget it sooner. Stores of a version without leases take the news for a
// gap.
//
// # What to set in Redis
//
//   - maxmemory-policy noeviction. Under any other policy a server whose memory is
//     full drops records, so that tokens that were revoked are valid again. [Open]
//     refuses such a server, unless [Config.AllowEviction] is set. With noeviction,
//     a full server fails to revoke, and says so.
//   - appendonly yes. A server without persistence forgets all revocations and
//     consumed keys when it restarts. With appendfsync everysec, the default, it
//     may forget those of the last second when its machine fails; with always,
//     none, and each takes as long as the disk does.
//   - Replication is asynchronous: a primary that fails takes with it what no
//     replica has yet. [Config.MinReplicas] waits for replicas. It makes the loss
//     improbable; it does not exclude that a replica without the record is made
//     primary, nor the loss of both. In a network that is split, a primary that
//     was replaced goes on for a while; min-replicas-to-write stops it from
//     taking records that will be lost.
//   - Clocks need not agree. Whether a record counts is judged by the clock of the
//     process that asks, which judges the token too. Redis keeps the record for 65
//     minutes longer, so that neither a server whose clock is set forward by an hour
//     drops it too soon, nor a replica with another time that becomes the primary. A
//     clock that is set forward by more than that may bring revoked tokens back.
//
// # Permissions
//
// These suffice, here for the default [Config.Prefix]. The last line is for
// Sentinels and clusters alone. The Sentinels' own user is another one.
//
//	ACL SETUSER pasetokit on >password resetchannels ~pasetokit:* &pasetokit:* -@all
//	    +@pubsub +eval +evalsha +get +set +exists +client|tracking
//	    +echo +hello +info +ping +select +wait
//	    +role +cluster|slots +cluster|shards +asking
//
// Leases need these besides. [Open] does not miss them; the methods do.
//
//	ACL SETUSER pasetokit +time +pexpireat +zadd +zrem +zrange +zscore +zcount
//
// # Keys
//
// Identifiers stand in the keys as they are. Times are Unix times; an expiry is in
// milliseconds, and 0 where there is none. The time to live of a key of records goes 65
// minutes beyond its expiry.
//
//	pasetokit:t:<token id>    "<expiry> 0"
//	pasetokit:s:<session>     "<expiry> 0"
//	pasetokit:u:<subject>     "<expiry> <cut-off in seconds>"
//	pasetokit:c:<key>         "<expiry>:<value>" of the first caller of Consume,
//	                          or of the last one that advanced it
//	pasetokit:l:<key>         a sorted set of leases
//
// The sorted set has two members for a lease, "h<holder>" with the expiry and
// "o<holder>" with a negative number that tells who came first, and a member
// "d<holder>" for one that was displaced.
//
// Revocations are announced over the channel pasetokit:revocations:<database>, as
// "<t, s or u> <expiry> <cut-off> <identifier>", and displaced leases as
// "l <length of the key in bytes> <key><holder>". In a cluster all pass through the
// one primary that has the channel's slot. Whoever may write these keys, or to
// this channel, may revoke anything; and who may delete keys makes revoked tokens
// valid. Redis never sees a token or a key of PASETO.
package redis
