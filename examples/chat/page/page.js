// The page of the chat: what its controls do, and what happens by itself.

import { $, on } from "./dom.js";
import { clearLog, goTo, send } from "./room.js";
import { foreign, server } from "./server.js";
import { login, logout, logoutOthers, restore } from "./session.js";
import { connect, disconnect, drop, renew } from "./socket.js";
import { state } from "./state.js";
import { chooseTransport, hasEnded, pairRoute, show, showLife, showSocket } from "./view.js";

async function logIn() {
  if (!(await login())) return;
  clearLog(); // it may show what another user has seen
  connect();
}

function logOut(path, revoked) {
  drop();
  logout(path, revoked);
}

// connectByHand looks for a login in cookies first, if this page has none. A token that
// has ended would be refused, and is refreshed.
async function connectByHand() {
  if (!state.session && $("transport").value === "cookie") await restore();
  if (!hasEnded(state.session)) return connect();
  state.coming = true;
  renew();
}

// tick refreshes the token in time.
function tick() {
  showLife();
  if (state.session && $("auto").checked && Date.now() > state.session.refreshAt) renew();
}

// settleAbroad leaves out what does not work with a server of another origin.
function settleAbroad() {
  $("where").textContent = `This page is of ${location.origin}; its server is ${server.origin}.`;
  $("where").hidden = false;
  $("keep").hidden = true;
  $("transport").querySelector("[value=cookie]").disabled = true;
  $("transport").value = "ticket";
  pairRoute();
}

on("login-form", "submit", logIn);
on("compose", "submit", () => send());
on("announce", "click", () => send("announce"));
on("room-form", "submit", goTo);
on("refresh", "click", renew);
on("logout", "click", () => logOut("logout", "this login"));
on("logout-everywhere", "click", () => logOut("logout/everywhere", `${state.session.subject}, on every device`));
on("logout-others", "click", logoutOthers);
on("connect", "click", connectByHand);
on("revive", "click", connectByHand);
on("disconnect", "click", disconnect);

$("transport").addEventListener("change", () => {
  if (!state.session) $("cookies").checked = $("transport").value === "cookie";
  pairRoute();
  showSocket();
});
$("cookies").addEventListener("change", () => {
  chooseTransport($("cookies").checked);
  showSocket();
});
$("route").addEventListener("change", showSocket);

setInterval(tick, 250);
if (foreign) settleAbroad();
show();
if (!foreign && (await restore())) connect();
