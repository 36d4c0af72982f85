// Logging in and out, and keeping the tokens new.

import { $, focusIsLost, say } from "./dom.js";
import { clearLog } from "./room.js";
import { ask, failed, problem } from "./server.js";
import { state } from "./state.js";
import { chooseTransport, show, showLife } from "./view.js";

// login reports whether somebody is logged in now.
export async function login() {
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
    return false;
  }
  $("password").value = "";
  if (!inCookies && !answer.data.access_token) {
    say("bad", "This server gives tokens only as cookies. Log in with “Keep the tokens in cookies”.");
    return false;
  }
  const me = await begin(inCookies, answer.data);
  if (!me.ok) {
    say("bad", `The server does not take its own token: ${problem(me)}`);
    return false;
  }
  chooseTransport(inCookies);
  show();
  return true;
}

// authority is what a request of the session carries.
function authority({ inCookies, access }) {
  return inCookies ? { cookies: true } : { token: access };
}

// begin makes tokens the session, after asking the server who they are for and
// how long they last. It returns the server's answer.
async function begin(inCookies, { access_token: access, refresh_token: refresh }) {
  const tokens = { inCookies, access, refresh };
  const me = await ask("GET", "me", authority(tokens));
  if (me.ok) adopt(tokens, me.data);
  return me;
}

function adopt(tokens, me) {
  const life = me.expires_in * 1000; // NaN for a token that does not expire
  const early = Math.min(30_000, Math.max(5_000, life * 0.15), life / 2);
  const ends = Date.now() + life;
  state.session = { ...tokens, subject: me.subject, scopes: me.scopes, fresh: me.fresh, life, ends, refreshAt: ends - early };
}

// restore finds out whether cookies of an earlier visit still log somebody in.
export async function restore() {
  let me = await ask("GET", "me", { cookies: true });
  if (!me.ok && (me.status !== 401 || me.data?.code === "token_missing")) return false;
  if (!me.ok) {
    me = await ask("POST", "refresh", { cookies: true });
    if (me.ok) me = await ask("GET", "me", { cookies: true });
  }
  if (!me.ok) {
    if (failed(me)) say("bad", `The login in the cookies cannot be refreshed: ${problem(me)} Reload to try again.`);
    else await ask("POST", "logout", { cookies: true }); // has the dead cookies deleted
    return false;
  }
  adopt({ inCookies: true }, me.data);
  $("cookies").checked = true;
  chooseTransport(true);
  show();
  return true;
}

let refreshing = null; // the refresh under way

// refresh exchanges the tokens for new ones. It tells what came of it: { done },
// or the problem, and whether that is final: { problem, final }, or nothing if
// somebody has logged in or out meanwhile.
export function refresh() {
  refreshing ??= exchange().finally(() => (refreshing = null));
  return refreshing;
}

async function exchange() {
  const before = state.session;
  const { inCookies } = before;
  let answer = await ask("POST", "refresh", inCookies ? { cookies: true } : { body: { refresh_token: before.refresh } });
  if (state.session !== before) return {};
  let me = null;
  if (answer.ok || inCookies) {
    // Where a refresh by cookies fails, another tab may have been faster; its new
    // cookies are ours too.
    me = await ask("GET", "me", inCookies ? { cookies: true } : { token: answer.data.access_token });
    if (state.session !== before) return {};
  }
  if (!me?.ok) {
    if (answer.ok) answer = me;
    const final = !failed(answer);
    before.refreshAt = final ? Infinity : Date.now() + 5_000 + answer.wait;
    return { problem: problem(answer), final };
  }
  const { access_token: access, refresh_token: next } = inCookies ? {} : answer.data;
  adopt({ inCookies, access, refresh: next }, me.data);
  show();
  return { done: true };
}

// extend notes in how many seconds the server will end the socket, as it says when
// it has taken a token over that.
export function extend(expiresIn) {
  const { session } = state;
  session.life = expiresIn * 1000; // NaN if it will not
  session.ends = Date.now() + session.life;
  showLife();
}

// forget ends the session in this page alone, with what was read in it.
export function forget() {
  state.session = null;
  clearLog();
  $("message").value = "";
  show();
  if (focusIsLost()) $("username").focus();
}

// logout has the server revoke what the path says, and forgets the session.
export async function logout(path, revoked) {
  const { inCookies, refresh: token } = state.session;
  forget();
  const answer = await ask("POST", path, inCookies ? { cookies: true } : { token });
  if (answer.ok) say("info", `Logged out: the server has revoked every token of ${revoked}.`);
  else say("bad", `This page has forgotten its tokens, but the server did not revoke them: ${problem(answer)}`);
}

// logoutOthers ends what else this user has open on the server.
export async function logoutOthers() {
  const body = { connection: state.connection };
  const answer = await ask("POST", "logout/others", { ...authority(state.session), body });
  if (!answer.ok) {
    say("bad", `The other tabs are not logged out: ${problem(answer)}`);
    return;
  }
  const { connections, logins } = answer.data;
  const several = (n, what) => `${n} other ${what}${n === 1 ? "" : "s"}`;
  say("good", `Logged out: ${several(connections, "connection")} closed, ${several(logins, "login")} ended. This tab stays.`);
}

// buyTicket asks for what opens one socket, for this page and at this route.
export function buyTicket(path) {
  return ask("POST", "ticket", { ...authority(state.session), body: { path, origin: location.origin } });
}
