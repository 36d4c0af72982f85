// The room: what the server tells of it, and what is said in it.

import { $, element, say } from "./dom.js";
import { state } from "./state.js";
import { showSocket } from "./view.js";

let shown = ""; // the room whose messages the log has
let lastID = 0; // of the events shown
let here = new Set(); // who is in the room, as far as the log tells
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
      return showPresent([...here, frame.from]);
    case "left":
      return showPresent([...here].filter((name) => name !== frame.from));
    case "people":
      return showPeople(frame.people);
    case "rooms":
      return showRooms(frame.rooms);
    case "error":
      note(frame.text, "bad");
      if (state.session && !$("message").value) $("message").value = lastSent;
  }
}

// leave notes that this page's user is not in the room any more.
export function leave() {
  showPresent([...here].filter((name) => name !== state.session?.subject));
}

// showPresent notes who has come and who has gone since it was told last, also while
// this page was away.
function showPresent(people) {
  const now = new Set(people);
  for (const name of here) if (!now.has(name)) note(`${name} left`);
  for (const name of now) if (!here.has(name)) note(`${name} joined`);
  here = now;
}

// enter shows the room that this page has come into, or come back to.
function enter({ room, connection, past, people, rooms }) {
  state.connection = connection;
  if (room !== shown) {
    clearLog();
    here = new Set(people.filter((name) => name !== state.session?.subject));
  }
  shown = state.room = room;
  // A reload, or a link that is passed on, leads here again.
  history.replaceState(null, "", room === "lobby" ? location.pathname : `?room=${room}`);
  for (const frame of past ?? []) receive(frame);
  showPresent(people);
  showPeople(people);
  showRooms(rooms);
  showSocket();
  if (document.activeElement === $("room")) $("message").focus();
}

// clearLog forgets what was said, which another user may have seen, or in another
// room.
export function clearLog() {
  shown = lastSent = "";
  lastID = 0;
  here = new Set();
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
