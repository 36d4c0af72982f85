// What a closed socket means: to the person, and for what the page does next.

import { sentence } from "./dom.js";
import { closures, loggedOut } from "./closures.js";

// afterwards says what to do after a close: connect again now or later, only with
// a refreshed token, or never by itself. The server's table tells, by the reason,
// and where that is not listed by a code that has one meaning alone.
export function afterwards({ code, reason }) {
  const named = closures.find((c) => c.codes.includes(code) && c.reason === reason);
  if (named) return named.reconnect;
  const meanings = new Set(closures.filter((c) => c.codes.includes(code)).map((c) => c.reconnect));
  if (meanings.size === 1) return [...meanings][0];
  // 1012 is what a server may be told to stop with. 1006 is no code that is sent:
  // the connection broke, or the server answered the handshake over HTTP.
  return { 1012: "now", 1006: "later" }[code] ?? "never";
}

// endsLogin reports whether the close says that this tab is logged out.
export function endsLogin({ code }) {
  return code === loggedOut;
}

// why puts a close code and its reason into plain words.
export function why({ code, reason }) {
  const meaning = {
    "PASETO Authorization Token required": "The handshake carried no token where the server looks for one.",
    "More than one token was sent. Expected exactly one":
      "The cookie and the page both sent one, and the server does not choose. The route /ws/ticket looks at a ticket alone.",
    "Ticket has been used": "A ticket opens one socket.",
    "Ticket is not valid here": "A ticket opens a socket at its own path, for a page of its own origin.",
    "PASETO access token is not fresh": "This route wants a token straight from a login, not a refreshed one.",
    "Token has been revoked": "Somebody logged out here or elsewhere, or was logged out.",
    "Token expired.": "A socket ends with its token: refresh, or log in again.",
    "Replaced by a newer connection": "You may have only so many, and have opened another. This tab stays closed until you connect it.",
    "Too many connections of this subject": "Close another tab of yours.",
    "Logged out by another tab": "This tab has forgotten its login.",
    "Connection has reached its maximum age": "The server wants a new one.",
    "Peer reads too slowly": "This page could not keep up with what was said.",
  }[reason];
  const unnamed = {
    1000: "You left.",
    1001: "The server is stopping.",
    1006: "The connection was lost, or the server refused it before it opened; browsers do not tell a page which.",
    1009: "A message was too big for the server.",
    1011: "The server failed.",
    1012: "The server is starting again.",
    1013: "The server cannot have it now.",
  }[code];
  return sentence([code, reason || unnamed, meaning && `— ${meaning}`].filter(Boolean).join(" "));
}
