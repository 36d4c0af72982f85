// The socket: opening it, keeping it while its token is renewed, and coming back
// when it was closed.

import { $, focusIsLost, say } from "./dom.js";
import { afterwards, endsLogin, why } from "./closes.js";
import { leave, receive } from "./room.js";
import { failed, problem, server } from "./server.js";
import { buyTicket, extend, forget, refresh } from "./session.js";
import { state } from "./state.js";
import { showSocket } from "./view.js";

let attempts = 0; // to open a socket: only the newest counts
let opening = false; // whether that is under way
let failures = 0; // in a row, of attempts to come back
let refreshedFor = false; // whether the token was refreshed to come back
let timer = 0; // of the next attempt
let openedAt = 0;
let renewal = null; // waits for the answer to a token that was sent: a function

// A socket that lived for this long, in milliseconds, was no failure.
const stable = 5_000;

// connect opens a socket beside the present one, which is closed when the new one
// is let in: so nobody is seen to leave. How says why, and byItself that no person
// has asked for it at this moment.
export async function connect({ how = "", byItself = false } = {}) {
  const transport = $("transport").value;
  const route = $("route").value;
  const attempt = ++attempts;
  clearTimeout(timer);
  state.coming = opening = true;
  if (!byItself) {
    failures = 0;
    refreshedFor = false;
  }
  if (!state.socket) say("info", "Connecting …");
  showSocket();

  const { url, protocols, first, carrier, refused } = await carry(transport, route);
  if (attempt !== attempts) return; // something else was wanted meanwhile
  if (refused) return noTicket(refused, byItself);
  const who = carrier ? ` as ${state.session.subject} by ${carrier}` : " as a guest";
  const renewable = Boolean(carrier) && !state.session.inCookies;
  // A page without a token for the first message would only come back to be silent.
  const comesBack = byItself && (transport !== "message" || Boolean(first));
  const next = new WebSocket(url, protocols);
  let admitted = false; // a refused socket opens too, and is then closed

  if (first) next.addEventListener("open", () => next.send(first));
  next.addEventListener("message", (event) => {
    if (!admitted && attempt !== attempts) return next.close(1000);
    if (!admitted) {
      admitted = true;
      opening = false;
      openedAt = Date.now();
      state.socket?.close(1000);
      renewal?.(null);
      Object.assign(state, { socket: next, renewable });
      say("good", `Connected to ${url.pathname}${who}${how}.`);
      showSocket();
      if (state.session && focusIsLost()) $("message").focus();
    }
    if (next === state.socket) hear(JSON.parse(event.data));
  });
  next.addEventListener("close", (event) => {
    if (admitted && next === state.socket) closed(event);
    else if (!admitted && attempt === attempts && opening) refusedToOpen(event, comesBack);
  });
}

// carry puts the session's token where the transport says. It tells the address
// and what else the socket is opened with, and which carrier the server will find
// the token in: none for a guest.
async function carry(transport, route) {
  const { session } = state;
  const token = session?.access;
  const url = new URL(route.slice(1), server);
  url.protocol = url.protocol.replace("http", "ws");
  if (state.room !== "lobby") url.searchParams.set("room", state.room);
  if (transport === "subprotocol" && token) return { url, protocols: ["paseto.bearer", token], carrier: transport };
  if (transport === "message" && token) return { url, first: JSON.stringify({ type: "auth", token }), carrier: transport };
  if (transport === "query" && token) {
    url.searchParams.set("token", token);
    return { url, carrier: transport };
  }
  if (transport === "ticket" && session) {
    const answer = await buyTicket(route);
    if (!answer.ok) return { refused: answer };
    url.searchParams.set("ticket", answer.data.ticket);
    return { url, carrier: transport };
  }
  return { url, carrier: session?.inCookies ? "cookie" : "" };
}

// hear takes a frame of the open socket.
function hear(frame) {
  if (frame.type !== "auth") return receive(frame);
  if (!frame.code && state.session) extend(frame.expires_in);
  renewal?.(frame);
}

// disconnect closes the socket and keeps it closed.
export function disconnect() {
  stop();
  if (state.socket) state.socket.close(1000);
  else say("info", "Not connected.");
}

// drop is disconnect for a session that is over: nothing more is shown of it.
export function drop() {
  state.socket?.close(1000);
  state.socket = null;
  stop();
}

// stop ends every attempt to have a socket.
function stop() {
  attempts++;
  clearTimeout(timer);
  state.coming = opening = false;
  renewal?.(null);
  showSocket();
}

// ---- Renewal ----

let renewing = null; // what is under way

// renew refreshes the token and has the socket live on with the new one.
export function renew() {
  renewing ??= renewOnce().finally(() => (renewing = null));
  return renewing;
}

async function renewOnce() {
  const { done, problem, final } = await refresh();
  if (problem && final && !state.socket) {
    drop();
    forget();
  }
  if (problem) say("bad", `Refresh refused: ${problem}${final ? " Log in again." : ""}`);
  if (!done) return;
  if (!state.socket && !state.coming) return say("good", "The token is refreshed.");
  if (!state.socket || !state.renewable) return connect({ how: " with the new token", byItself: true });
  const answer = await present(state.socket, state.session.access);
  if (!answer) return; // what became of the socket says more
  if (!answer.code) return say("good", "The token is renewed, over the open socket.");
  if (answer.code === "renewal_unsupported") return connect({ how: " with the new token", byItself: true });
  say("bad", `Renewal refused: ${answer.message}. The socket ends with the token that it has.`);
}

// present sends a token over the open socket. It resolves to the server's answer,
// or to nothing if that socket is not the one any more.
function present(socket, token) {
  const silence = { code: "no_answer", message: "The server does not answer" };
  return new Promise((resolve) => {
    const timeout = setTimeout(() => renewal?.(silence), 60_000);
    renewal = (answer) => {
      clearTimeout(timeout);
      renewal = null;
      resolve(answer);
    };
    socket.send(JSON.stringify({ type: "auth", token }));
  });
}

// ---- Coming back ----

// closed handles the end of the socket whose messages are shown.
function closed(event) {
  state.socket = null;
  renewal?.(null);
  if (Date.now() - openedAt > stable) {
    failures = 0;
    refreshedFor = false;
  }
  showSocket();
  if (opening) return; // its successor is on its way, and may be what replaced it
  leave();
  if (!state.coming) return say(event.code === 1000 ? "info" : "bad", `Closed: ${why(event)}`);
  comeBack(event, `Closed: ${why(event)}`);
}

// refusedToOpen handles a socket that was never let in.
function refusedToOpen(event, comesBack) {
  opening = false;
  const told = `${state.socket ? "New socket refused" : "Refused"}: ${why(event)}`;
  if (comesBack && !state.socket) return comeBack(event, told);
  state.coming = state.socket !== null;
  say("bad", told);
  showSocket();
}

// noTicket handles an attempt that ended before there was a socket.
function noTicket(answer, byItself) {
  opening = false;
  const told = `No ticket for a socket: ${problem(answer)}`;
  if (byItself && !state.socket) {
    if (answer.status === 401) return comeBackRefreshed({}, told);
    if (failed(answer)) return later(told, 2_000, answer.wait);
  }
  state.coming = state.socket !== null;
  say("bad", told);
  showSocket();
}

// comeBack does what is to be done after a close. Told is what the person is told
// of it.
function comeBack(event, told) {
  switch (afterwards(event)) {
    case "now":
      return later(told, failures ? 2_000 : 200);
    case "later":
      return later(told, 2_000);
    case "refreshed":
      return comeBackRefreshed(event, told);
  }
  state.coming = false;
  if (endsLogin(event)) {
    forget();
    told += " Log in again, or reload where cookies keep the login.";
  }
  say("bad", told);
  showSocket();
}

// later connects again after a time that grows with every failure. It is random, so
// that the pages of a server that stopped do not all come back in one moment.
function later(told, least, wait = 0) {
  const longest = Math.min(30_000, 2 * least * 2 ** failures++);
  const delay = wait + longest / 2 + (Math.random() * longest) / 2;
  clearTimeout(timer);
  timer = setTimeout(() => connect({ how: " again", byItself: true }), delay);
  say("bad", `${told} Connecting again in ${Math.ceil(delay / 1000)} s.`);
  showSocket();
}

// comeBackRefreshed connects again with a refreshed token, if there can be one.
async function comeBackRefreshed({ reason }, told) {
  const waits = reason === "Token expired." && !$("auto").checked; // for Refresh now
  if (waits && state.session) return say("bad", told);
  if (!state.session || refreshedFor) {
    state.coming = false;
    showSocket();
    return say("bad", told);
  }
  refreshedFor = true;
  say("bad", `${told} Refreshing the token …`);
  const attempt = attempts;
  const { done, problem, final } = await refresh();
  if (attempt !== attempts || !state.coming || !(done || problem)) return; // somebody was faster
  if (done) return connect({ how: " with the new token", byItself: true });
  if (!final) {
    refreshedFor = false;
    return later(told, 2_000);
  }
  state.coming = false;
  forget();
  say("bad", `${told} Refresh refused: ${problem} You are logged out: log in again.`);
}
