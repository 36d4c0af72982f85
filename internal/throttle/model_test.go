package throttle_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/pasetokit/pasetokit/internal/throttle"
)

// model is one bucket in whole numbers: a token is a minute, and a nanosecond
// refills as many nanoseconds as there are tokens.
type model struct {
	perMinute, level, underWay int64
	read                       int64
}

const token = int64(time.Minute)

func (m *model) refill(now time.Time) {
	m.level = min(m.level+max(0, now.UnixNano()-m.read)*m.perMinute, m.perMinute*token)
	m.read = now.UnixNano()
}

// lacks returns how many nanoseconds it takes until one more may begin.
func (m *model) lacks() int64 {
	return (max(0, (m.underWay+1)*token-m.level) + m.perMinute - 1) / m.perMinute
}

// FuzzTable plays what the bytes say with a few keys, and holds each answer
// against a model that forgets nothing. An answer may differ by 2 ns.
func FuzzTable(f *testing.F) {
	f.Add(uint8(3), []byte("\x00\x08\x10\x00\x08\x10\x03\x02\x02\x0b\x00"))
	f.Add(uint8(1), []byte("\x01\x01\x01\x03\xfc\xfc\xfc\x01\x05\x01\x07\x01\xff\x01"))
	f.Add(uint8(60), []byte("\x00\x00\x00\x00\x02\x03\x02\x04\x04\x04\x06\x00\x02"))
	f.Fuzz(func(t *testing.T, limit uint8, steps []byte) {
		if limit == 0 || limit > 100 || len(steps) > 2000 {
			return
		}
		const keys = 4
		c := newClock()
		table := throttle.NewSized[netip.Prefix](int(limit), c.Now, 1, keys+1)
		var models [keys]model
		for k := range models {
			models[k] = model{perMinute: int64(limit), level: int64(limit) * token, read: c.Now().UnixNano()}
		}
		var ends [keys][]func(bool)
		for i, step := range steps {
			k, how := int(step>>3%keys), int(step>>5)
			m := &models[k]
			if step%8 < 4 { // the table looks at its clock, for all of a shard
				for j := range models {
					models[j].refill(c.Now())
				}
			}
			check := func(wait time.Duration, ok bool) {
				lacks := m.lacks()
				if off := int64(wait) - lacks; ok != (wait == 0) || ok && lacks > 2 || !ok && (off < -2 || off > 2) {
					t.Fatalf("step %d: %v has to wait for %v (%t), the model for %v", i, key(k), wait, ok, time.Duration(lacks))
				}
			}
			switch step % 8 {
			case 0: // begin
				end, wait, ok := table.Begin(key(k))
				check(wait, ok)
				if ok {
					m.underWay++
					ends[k] = append(ends[k], end)
				}
			case 1: // ask
				wait, ok := table.Allow(key(k))
				check(wait, ok)
				if ok {
					m.level -= token
				}
			case 2, 3: // end an attempt
				if len(ends[k]) == 0 {
					begin(t, table, key(keys))(false) // of somebody else
					continue
				}
				failed := step%8 == 2
				ends[k][0](failed)
				ends[k] = ends[k][1:]
				m.underWay--
				if failed {
					m.level -= token
				}
			case 4: // a token
				c.Advance(time.Minute / time.Duration(limit))
			case 5: // less
				c.Advance(time.Duration(how+1) * 1_234_567_891)
			case 6: // a long time
				c.Advance(time.Duration(how+1) * 20 * time.Second)
			case 7: // the clock is set back
				c.Advance(-time.Duration(how) * time.Hour)
			}
		}
	})
}
