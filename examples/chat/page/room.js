// The room: what the server tells of it, and what is said in it.

import { $, element, say } from "./dom.js";
import { state } from "./state.js";
import { showSocket } from "./view.js";

let shown = ""; // the room whose messages the log has
let lastID = 0; // of the events shown
let lastSent = "";

// receive shows a frame of the server's.
export function receive(frame) {
  if (frame.id) {
    if (frame.id <= lastID) return; // the past, shown before
    lastID = frame.id;
  }
  switch (frame.type) {
    case "room":
      return enter(frame);
    case "message":
      return showMessage(frame);
    case "announce":
      return showMessage(frame, "announced");
    case "joined":
      return note(`${frame.from} joined`);
    case "left":
      return note(`${frame.from} left`);
    case "people":
      return showPeople(frame.people);
    case "rooms":
      return showRooms(frame.rooms);
    case "error":
      note(frame.text, "bad");
      if (state.session && !$("message").value) $("message").value = lastSent;
  }
}

// enter shows the room that this page has come into, or come back to.
function enter({ room, connection, past, people, rooms }) {
  state.connection = connection;
  if (room !== shown) clearLog();
  shown = state.room = room;
  // A reload, or a link that is passed on, leads here again.
  history.replaceState(null, "", room === "lobby" ? location.pathname : `?room=${room}`);
  for (const frame of past ?? []) receive(frame);
  showPeople(people);
  showRooms(rooms);
  showSocket();
  if (document.activeElement === $("room")) $("message").focus();
}

// clearLog forgets what was said, which another user may have seen, or in another
// room.
export function clearLog() {
  shown = "";
  lastID = 0;
  $("log").replaceChildren();
}

// send sends what is written, to this room or to all.
export function send(type = "message") {
  const text = $("message").value;
  if (!state.socket || !text.trim()) return;
  state.socket.send(JSON.stringify({ type, text }));
  lastSent = text;
  $("message").value = "";
  $("message").focus();
}

// goTo changes the room: over the open socket, or for the next one.
export function goTo() {
  const room = $("room").value.trim().toLowerCase();
  if (!room) return;
  $("room").value = "";
  if (state.socket) {
    state.socket.send(JSON.stringify({ type: "join", room }));
    lastSent = "";
    return;
  }
  state.room = room;
  showSocket();
  say("info", `Connect to go to the room ${room}.`);
}

function append(entry) {
  const log = $("log");
  const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 80;
  log.append(entry);
  while (log.childElementCount > 500) log.firstElementChild.remove();
  if (atEnd) log.scrollTop = log.scrollHeight;
}

function showMessage({ from, text, at }, className = "") {
  const entry = element("article", `said ${className || (from === state.session?.subject ? "own" : "")}`.trim());
  const head = element("header");
  const time = element("time", "", new Date(at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" }));
  time.dateTime = at;
  head.append(element("b", "", from), className ? "to all rooms" : "", time);
  entry.append(head, element("div", "", text));
  append(entry);
}

function note(text, kind = "") {
  append(element("p", `note ${kind}`.trim(), text));
}

function showPeople(people) {
  $("people").replaceChildren(...people.map((name) => element("li", "", name)));
}

function showRooms(rooms) {
  $("rooms").replaceChildren(
    ...rooms.map((name) => {
      const option = element("option");
      option.value = name;
      return option;
    }),
  );
}
