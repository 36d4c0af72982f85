package doctest_test

import (
	"encoding/json"
	"math"
	"testing"
)

// simulation runs the client with a clock of its own, which goes on to the next timer
// whenever nothing else is left to do.
const simulation = `
	let now = 0, timers = [];
	const Date = {now: () => now};
	const AbortSignal = {timeout: () => null};
	const setTimeout = (act, ms) => {
		timers.push({at: now + Math.max(0, ms), act});
		return timers.at(-1);
	};
	const clearTimeout = (timer) => timers = timers.filter((other) => other !== timer);
	const simulate = async (result, end = () => false) => {
		let done = false;
		result.then(() => done = true);
		while (await new Promise(setImmediate), !done && !end()) {
			const next = timers.reduce((a, b) => b.at < a.at ? b : a);
			clearTimeout(next);
			now = next.at;
			next.act();
		}
		return done && result;
	};
	class FakeSocket extends EventTarget {
		readyState = 0;
		constructor() {
			super();
			queueMicrotask(() => { this.readyState = 1; this.tell("open"); });
		}
		tell(type, fields) { this.dispatchEvent(Object.assign(new Event(type), fields)); }
		answer(message) { queueMicrotask(() => this.tell("message", {data: JSON.stringify(message)})); }
		close(code = 1005, reason = "") {
			if (this.readyState > 1) return;
			this.readyState = 3;
			queueMicrotask(() => this.tell("close", {code, reason}));
		}
	}`

// TestClientGivesUp: newer tokens do not help where the server takes none of them, and
// the client does not ask for ever.
func TestClientGivesUp(t *testing.T) {
	t.Parallel()
	got := runClient(t, simulation, `
		globalThis.WebSocket = class extends FakeSocket {
			send() { this.close(1008, "Token scope is not sufficient"); }
		};
		globalThis.fetch = async () => Response.json({});
		console.log(await simulate(stay("", new Login("", {}), () => {})));`)
	if want := "Token scope is not sufficient\n"; got != want {
		t.Errorf("the client prints %q, want %q", got, want)
	}
}

// TestClientKeepsItsTimes: whatever the lifetime of its tokens, the client shows the next
// one in time, and not more often than the defaults of the server allow.
func TestClientKeepsItsTimes(t *testing.T) {
	t.Parallel()
	output := runClient(t, simulation, `
		const shown = {};
		for (const life of JSON.parse(args[0])) {
			shown[life] = [];
			globalThis.fetch = async () => Response.json({});
			globalThis.WebSocket = class extends FakeSocket {
				send() { shown[life].push(now / 1000); this.answer({type: "auth", expires_in: life}); }
			};
			timers = [];
			await simulate(connect("", new Login("", {}), () => {}), () => shown[life].length === 40);
		}
		console.log(JSON.stringify(shown));`, "[1,2,3,5,10,17,20,30,31,33,35,60,900,3600]")
	var shown map[int][]float64
	if err := json.Unmarshal([]byte(output), &shown); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	if len(shown) != 14 {
		t.Errorf("there are %d lifetimes", len(shown))
	}
	for life, times := range shown {
		const burst, interval = 5, 10 // renewals
		last, bucket := times[0], float64(burst)
		for _, time := range times[1:] {
			gap := time - last
			last = time
			if gap >= 0.8*float64(life) {
				t.Errorf("with a lifetime of %d s a token is shown after %g s", life, gap)
			}
			if bucket = min(burst, bucket+gap/interval) - 1; bucket < 0 && life >= 17 {
				t.Errorf("with a lifetime of %d s there are too many renewals: %v", life, times)
				break
			}
		}
	}
}

// TestClientWaits: the client waits for as long as the server says, and longer after
// every failure, but not for ever.
func TestClientWaits(t *testing.T) {
	t.Parallel()
	output := runClient(t, simulation, `
		const asked = [];
		globalThis.fetch = async () => {
			asked.push(now / 1000);
			if (asked.length === 1) throw new TypeError("no network");
			return new Response("", {status: 429, headers: asked.length === 2 ? {"Retry-After": "20"} : {}});
		};
		globalThis.WebSocket = class extends FakeSocket {
			send() { this.close(4401, "Token expired."); }
		};
		await simulate(stay("", new Login("", {}), () => {}), () => asked.length === 20);
		console.log(JSON.stringify(asked));`)
	var asked []float64
	if err := json.Unmarshal([]byte(output), &asked); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	for i := range asked[1:] {
		longest := min(60, math.Pow(2, float64(i)))
		least, most := longest/2, longest
		if i == 1 {
			least, most = least+20, most+20
		}
		if wait := asked[i+1] - asked[i]; wait < least-1e-6 || wait > most+1e-6 {
			t.Errorf("after %d failures the client waits for %g s, want %g to %g", i+1, wait, least, most)
		}
	}
}
