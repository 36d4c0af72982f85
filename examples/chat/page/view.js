// Showing who is logged in, and what the controls lead to.

import { $ } from "./dom.js";
import { foreign } from "./server.js";
import { state } from "./state.js";

export function show() {
  const { session } = state;
  $("logged-out").hidden = session !== null;
  $("logged-in").hidden = session === null;
  if (session) {
    $("whoami").textContent = session.subject;
    $("fresh").textContent = session.fresh ? "fresh" : "refreshed";
    $("scopes").textContent = session.scopes.join(" ");
    $("kept").textContent = session.inCookies ? "in cookies, which scripts cannot read" : "in the memory of this page, until a reload";
  }
  showSocket();
  showLife();
}

export function showSocket() {
  const open = state.socket !== null;
  $("connect").textContent = open ? "Reconnect" : "Connect";
  $("disconnect").disabled = !open && !state.coming;
  $("message").disabled = !open;
  $("send").disabled = !open;
  $("announce").disabled = !open;
  $("announce").hidden = !state.session?.scopes.includes("admin");
  $("room-name").textContent = state.room;
  if (!open) $("people").replaceChildren();
  $("hint").textContent = hint();
}

// hasEnded reports whether the token of a session is of no use any more.
export function hasEnded(session) {
  return session !== null && Date.now() >= session.ends;
}

// showLife shows how long the token still lives.
export function showLife() {
  const { session } = state;
  $("revive").hidden = !hasEnded(session) || state.socket !== null;
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
  $("ttl-bar").className = Date.now() > session.refreshAt ? "low" : "";
}

// The routes that look for a token where the transport of this name puts it, and
// nowhere else.
const alone = { "/ws/query": "query", "/ws/ticket": "ticket", "/ws/message": "message" };

// hint says beforehand what the chosen transport and route lead to.
function hint() {
  const transport = $("transport").value;
  const route = $("route").value;
  const { session } = state;
  if (alone[route] && alone[route] !== transport) {
    const place = { query: "a token in the URL", ticket: "a ticket", message: "a token in the first message" }[alone[route]];
    return `This route looks for ${place} and nowhere else.`;
  }
  if (route !== "/ws/query" && transport === "query") return "This route does not look for a token in the URL.";
  if (route !== "/ws/message" && transport === "message") return "This route does not look for a token in the first message.";
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
  if (transport === "message") return "The socket opens without a token. The page sends it as the first message, within five seconds.";
  return "";
}

// pairRoute chooses the route on which the transport works.
export function pairRoute() {
  const transport = $("transport").value;
  const route = $("route").value;
  if (transport === "query" || transport === "message") $("route").value = "/ws/" + transport;
  else if (transport === "ticket" && (alone[route] || route === "/ws")) $("route").value = "/ws/ticket";
  else if (alone[route]) $("route").value = "/ws";
}

// chooseTransport chooses how tokens travel that are kept in cookies, or not. It leaves
// what was chosen, if that can carry them.
export function chooseTransport(inCookies) {
  if (inCookies) $("transport").value = "cookie";
  else if (["cookie", "none"].includes($("transport").value)) $("transport").value = foreign ? "ticket" : "subprotocol";
  pairRoute();
}
