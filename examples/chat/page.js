// Tokens that a login returns live in this module and nowhere else: a reload
// forgets them. Tokens in cookies are out of its reach.

const $ = (id) => document.getElementById(id);

// server is the chat that this page talks to: the one that it comes from, or
// another that it was made for. To another origin it sends no cookies.
const server = new URL(document.documentElement.dataset.server || ".", document.baseURI);
const foreign = server.origin !== location.origin;

// session is who is logged in: { subject, scopes, fresh, inCookies, life, ends }
// with times in milliseconds, and the tokens that this page holds, if any:
// { access, refresh }.
let session = null;
let socket = null; // the admitted socket whose messages are shown
let wanted = false; // whether a new token should open a new socket
let attempts = 0; // to open a socket
let refreshing = false;
let retryAt = 0; // no automatic refresh before, because the last one failed
let lastID = 0; // of the events shown
let lastSent = "";

// ---- Talking to the server ----

// ask sends a request with the cookies or without any. Both together with
// another token would be two tokens, which the server refuses.
async function ask(method, path, { cookies, token, body } = {}) {
  const headers = {};
  if (token) headers["Authorization"] = "Bearer " + token;
  if (body) headers["Content-Type"] = "application/json";
  const answer = { ok: false, status: 0, data: null };
  try {
    const response = await fetch(new URL(path, server), {
      method,
      headers,
      credentials: cookies ? "same-origin" : "omit",
      body: body ? JSON.stringify(body) : undefined,
    });
    answer.ok = response.ok;
    answer.status = response.status;
    answer.data = await response.json();
  } catch {
    // No answer, or one without a body.
  }
  return answer;
}

// problem says what a refusal means.
function problem(answer) {
  if (answer.status === 0 && foreign) {
    return `${server.origin} does not answer, or not to pages of ${location.origin}; browsers do not tell a page which.`;
  }
  if (answer.status === 0) return "The server does not answer.";
  const advice = {
    cross_origin: `— It has cookies, and takes logins only from origins that http.cookie.trusted_origins lists: add ${location.origin}.`,
    tickets_unsupported: "— It has no denylist to see that a ticket works but once. Choose another way for the token.",
  }[answer.data?.code];
  return [answer.status, answer.data?.detail ?? "The server refused without a reason.", advice].filter(Boolean).join(" ");
}

async function login() {
  const inCookies = $("cookies").checked;
  const username = $("username").value;
  say("info", "Logging in …");
  const answer = await ask("POST", "login", {
    cookies: inCookies,
    body: { username, password: $("password").value },
  });
  if (!answer.ok) {
    say("bad", `Login refused: ${problem(answer)}`);
    $("password").select();
    return;
  }
  $("password").value = "";
  if (!inCookies && !answer.data.access_token) {
    say("bad", "This server gives tokens only as cookies. Log in with “Keep the tokens in cookies”.");
    return;
  }
  const { access_token: access, refresh_token: refresh } = answer.data;
  if (!(await begin({ inCookies, access, refresh }))) return;
  clearLog(); // it may show what another user has seen
  if (inCookies) $("transport").value = "cookie";
  else if ($("transport").value === "cookie") $("transport").value = "subprotocol";
  pairRoute();
  show();
  connect();
}

// begin makes tokens the session, after asking the server who they are for and
// how long they last.
async function begin(tokens) {
  const me = await ask("GET", "me", { cookies: tokens.inCookies, token: tokens.inCookies ? "" : tokens.access });
  if (!me.ok) {
    say("bad", `The server does not take its own token: ${problem(me)}`);
    return false;
  }
  adopt(tokens, me.data);
  return true;
}

function adopt(tokens, me) {
  const life = me.expires_in * 1000; // NaN for a token that does not expire
  session = { ...tokens, subject: me.subject, scopes: me.scopes, fresh: me.fresh, life, ends: Date.now() + life };
  retryAt = 0;
}

// restore finds out whether cookies of an earlier visit still log somebody in.
async function restore() {
  let me = await ask("GET", "me", { cookies: true });
  if (!me.ok && (me.status !== 401 || me.data?.code === "token_missing")) return;
  if (!me.ok && (await ask("POST", "refresh", { cookies: true })).ok) {
    me = await ask("GET", "me", { cookies: true });
  }
  if (!me.ok) {
    await ask("POST", "logout", { cookies: true }); // has the dead cookies deleted
    return;
  }
  adopt({ inCookies: true }, me.data);
  $("cookies").checked = true;
  $("transport").value = "cookie";
  show();
  connect();
}

async function refresh() {
  if (!session || refreshing) return;
  refreshing = true;
  const before = session;
  let answer;
  try {
    answer = await ask("POST", "refresh", session.inCookies ? { cookies: true } : { body: { refresh_token: session.refresh } });
    if (session !== before) return; // logged out or in meanwhile
    if (!answer.ok && session.inCookies) {
      // Another tab may have been faster; its new cookies are ours too.
      const me = await ask("GET", "me", { cookies: true });
      if (session !== before) return;
      answer.ok = me.ok;
    }
    if (!answer.ok) {
      const final = answer.status !== 0 && answer.status < 500;
      retryAt = final ? Infinity : Date.now() + 5_000;
      say("bad", `Refresh refused: ${problem(answer)}${final ? " Log in again." : ""}`);
      return;
    }
    const { inCookies } = session;
    const { access_token: access, refresh_token: refresh } = inCookies ? {} : answer.data;
    if (!(await begin({ inCookies, access, refresh }))) return;
  } finally {
    refreshing = false;
  }
  show();
  if (wanted) connect(" with the new token");
  else say("good", "The token is refreshed.");
}

async function logout(path, revoked) {
  const { inCookies, refresh: token } = session;
  const open = socket;
  session = socket = null;
  wanted = false;
  open?.close(1000);
  show();
  const answer = await ask("POST", path, inCookies ? { cookies: true } : { token });
  if (answer.ok) say("info", `Logged out: the server has revoked every token of ${revoked}.`);
  else say("bad", `This page has forgotten its tokens, but the server did not revoke them: ${problem(answer)}`);
  $("username").focus();
}

// ---- The socket ----

// connect opens a socket beside the present one, which is closed when the new
// one is let in: so nobody is seen to leave when a token is refreshed.
async function connect(how = "") {
  const transport = $("transport").value;
  const route = $("route").value;
  const token = session?.access;
  const url = new URL(route.slice(1), server);
  url.protocol = url.protocol.replace("http", "ws");
  const protocols = [];

  wanted = true;
  const attempt = ++attempts;
  const renewal = socket !== null;
  if (!renewal) say("info", "Connecting …");
  let carrier = "";
  if (transport === "subprotocol" && token) {
    protocols.push("paseto.bearer", token);
    carrier = transport;
  } else if (transport === "query" && token) {
    url.searchParams.set("token", token);
    carrier = transport;
  } else if (transport === "ticket" && session) {
    const answer = await buyTicket(route);
    if (attempt !== attempts || !wanted) return; // something else was wanted meanwhile
    if (!answer.ok) {
      wanted = socket !== null;
      say("bad", `No ticket for a socket: ${problem(answer)}`);
      return;
    }
    url.searchParams.set("ticket", answer.data.ticket);
    carrier = transport;
  } else if (session?.inCookies) {
    carrier = "cookie";
  }
  const who = carrier ? ` as ${session.subject} by ${carrier}` : " as a guest";
  const next = new WebSocket(url, protocols);
  let admitted = false; // a refused socket opens too, and is then closed

  next.addEventListener("message", (event) => {
    if (!admitted) {
      if (!wanted) return next.close(1000);
      admitted = true;
      const previous = socket;
      socket = next;
      previous?.close(1000);
      say("good", `Connected to ${url.pathname}${who}${how}.`);
      showSocket();
      if (session && focusIsLost()) $("message").focus();
    }
    if (admitted) receive(JSON.parse(event.data));
  });

  next.addEventListener("close", (event) => {
    if (!admitted && wanted) {
      wanted = socket !== null;
      say("bad", `${renewal ? "New socket refused" : "Refused"}: ${why(event)}`);
    } else if (next === socket) {
      socket = null;
      // A socket that ended with its token comes back with the next one.
      wanted = wanted && event.code === 1008;
      say(event.code === 1000 ? "info" : "bad", `Closed: ${why(event)}`);
      showSocket();
    }
  });
}

// buyTicket asks for what opens one socket, for this page and at this route.
function buyTicket(path) {
  const { inCookies, access } = session;
  return ask("POST", "ticket", {
    cookies: inCookies,
    token: inCookies ? "" : access,
    body: { path, origin: location.origin },
  });
}

// focusIsLost reports whether nothing has the focus any more, as after a login,
// when its form is hidden.
function focusIsLost() {
  return document.activeElement === document.body || $("logged-out").contains(document.activeElement);
}

function disconnect() {
  wanted = false;
  socket?.close(1000);
}

// why puts a close code and its reason into plain words.
function why({ code, reason }) {
  const meaning = {
    "PASETO Authorization Token required": "The handshake carried no token where the server looks for one.",
    "More than one token was sent. Expected exactly one":
      "The cookie and the page both sent one, and the server does not choose. The route /ws/ticket looks at a ticket alone.",
    "Ticket has been used": "A ticket opens one socket.",
    "Ticket is not valid here": "A ticket opens a socket at its own path, for a page of its own origin.",
    "PASETO access token is not fresh": "This route wants a token straight from a login, not a refreshed one.",
    "Token has been revoked": "Somebody logged out. Log in again.",
    "Token expired.": "A socket ends with its token: refresh, or log in again.",
  }[reason] ?? {
    1000: "You left.",
    1001: "The server is stopping.",
    1006: "The connection was lost, or the server refused it before it opened; browsers do not tell a page which.",
    1009: "A message was too big for the server.",
    1011: "The server failed.",
    1013: "Connect again.",
  }[code];
  return [code, reason, meaning && (reason ? `— ${meaning}` : meaning)].filter(Boolean).join(" ");
}

function receive(frame) {
  if (frame.id) {
    if (frame.id <= lastID) return; // the past, shown before
    lastID = frame.id;
  }
  switch (frame.type) {
    case "message":
      return showMessage(frame);
    case "joined":
      return note(`${frame.from} joined`);
    case "left":
      return note(`${frame.from} left`);
    case "people":
      return showPeople(frame.people);
    case "error":
      note(frame.text, "bad");
      if (session && !$("message").value) $("message").value = lastSent;
  }
}

function send() {
  const text = $("message").value;
  if (!socket || !text.trim()) return;
  socket.send(JSON.stringify({ type: "message", text }));
  lastSent = text;
  $("message").value = "";
  $("message").focus();
}

// ---- Showing ----
// Whatever others wrote is set as text, never as HTML.

function element(name, className, text) {
  const e = document.createElement(name);
  if (className) e.className = className;
  if (text) e.textContent = text;
  return e;
}

function say(kind, text) {
  $("status").dataset.kind = kind;
  $("status").textContent = text;
}

function append(entry) {
  const log = $("log");
  const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 80;
  log.append(entry);
  while (log.childElementCount > 500) log.firstElementChild.remove();
  if (atEnd) log.scrollTop = log.scrollHeight;
}

function showMessage({ from, text, at }) {
  const entry = element("article", from === session?.subject ? "said own" : "said");
  const head = element("header");
  const time = element("time", "", new Date(at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" }));
  time.dateTime = at;
  head.append(element("b", "", from), time);
  entry.append(head, element("div", "", text));
  append(entry);
}

function note(text, kind = "") {
  append(element("p", `note ${kind}`.trim(), text));
}

function clearLog() {
  lastID = 0;
  $("log").replaceChildren();
}

function showPeople(people) {
  $("people").replaceChildren(...people.map((name) => element("li", "", name)));
}

function show() {
  $("logged-out").hidden = session !== null;
  $("logged-in").hidden = session === null;
  if (session) {
    $("whoami").textContent = session.subject;
    $("fresh").textContent = session.fresh ? "fresh" : "refreshed";
    $("scopes").textContent = session.scopes.join(" ");
    $("kept").textContent = session.inCookies ? "in cookies, which scripts cannot read" : "in the memory of this page, until a reload";
  }
  showSocket();
  tick();
}

function showSocket() {
  const open = socket !== null;
  $("connect").textContent = open ? "Reconnect" : "Connect";
  $("disconnect").disabled = !open;
  $("message").disabled = !open;
  $("send").disabled = !open;
  if (!open) showPeople([]);
  $("hint").textContent = hint();
}

// hint says beforehand what the chosen transport and route lead to.
function hint() {
  const transport = $("transport").value;
  const route = $("route").value;
  if (route === "/ws/query" && transport !== "query") return "This route looks for a token in the URL and nowhere else.";
  if (route !== "/ws/query" && transport === "query") return "This route does not look for a token in the URL.";
  if (route === "/ws/ticket" && transport !== "ticket") return "This route looks for a ticket and nowhere else.";
  if (!session) {
    if (route === "/ws/optional") return "Without a login you read along as a guest.";
    return "";
  }
  if (transport === "ticket" && route !== "/ws/ticket" && (session.inCookies || foreign)) {
    return "If the browser has a cookie for the server, it sends that as well: two tokens. /ws/ticket looks at the ticket alone.";
  }
  if (session.inCookies && transport !== "cookie" && transport !== "ticket") {
    if (transport !== "none" && !session.access) return "The page holds no token: it is in a cookie that scripts cannot read.";
    if (transport === "none") return "The browser sends the cookie whether the page wants it or not.";
    if (transport === "subprotocol") return "The browser sends the cookie as well: two tokens.";
  }
  if (!session.inCookies && transport === "cookie") {
    return "There is no cookie: this login is in the page's memory. To have one, log in with “Keep the tokens in cookies”.";
  }
  if (route === "/ws/fresh" && !session.fresh) return "A refreshed token is not fresh; only a login makes one.";
  if (transport === "ticket") return "The page buys a ticket for each socket, with its token. What the URL shows is soon worth nothing.";
  return "";
}

// pairRoute chooses the route on which the transport works.
function pairRoute() {
  const transport = $("transport").value;
  const route = $("route").value;
  const alone = route === "/ws/query" || route === "/ws/ticket"; // works with one transport
  if (transport === "query") $("route").value = "/ws/query";
  else if (transport === "ticket" && (alone || route === "/ws")) $("route").value = "/ws/ticket";
  else if (alone) $("route").value = "/ws";
}

function tick() {
  if (!session) return;
  if (Number.isNaN(session.ends)) {
    $("ttl").textContent = "never";
    $("ttl-bar").value = 1;
    return;
  }
  const left = Math.max(0, session.ends - Date.now());
  const seconds = Math.ceil(left / 1000);
  $("ttl").textContent = left ? `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}` : "ended";
  $("ttl-bar").value = left / session.life;
  const early = Math.min(30_000, Math.max(3_000, session.life * 0.15));
  $("ttl-bar").className = left < early ? "low" : "";
  if (left < early && $("auto").checked && Date.now() > retryAt) refresh();
}

// ---- Wiring ----

function on(id, event, act) {
  $(id).addEventListener(event, (e) => {
    e.preventDefault();
    act();
  });
}

on("login-form", "submit", login);
on("compose", "submit", send);
on("refresh", "click", refresh);
on("logout", "click", () => logout("logout", "this login"));
on("logout-everywhere", "click", () => logout("logout/everywhere", `${session.subject}, on every device`));
on("connect", "click", () => connect());
on("disconnect", "click", disconnect);

$("transport").addEventListener("change", () => {
  if (!session) $("cookies").checked = $("transport").value === "cookie";
  pairRoute();
  showSocket();
});
$("cookies").addEventListener("change", () => {
  if ($("cookies").checked) $("transport").value = "cookie";
  else if ($("transport").value === "cookie") $("transport").value = "subprotocol";
  pairRoute();
  showSocket();
});
$("route").addEventListener("change", showSocket);

// settleAbroad leaves out what does not work with a server of another origin.
function settleAbroad() {
  $("where").textContent = `This page is of ${location.origin}; its server is ${server.origin}.`;
  $("where").hidden = false;
  $("keep").hidden = true;
  $("transport").querySelector("[value=cookie]").disabled = true;
  $("transport").value = "ticket";
  pairRoute();
}

setInterval(tick, 250);
if (foreign) settleAbroad();
show();
if (!foreign) restore();
