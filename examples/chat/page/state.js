// What the modules of the page know together.

export const state = {
  // Who is logged in: { subject, scopes, fresh, inCookies, life, ends, refreshAt }
  // with times in milliseconds, and the tokens that this page holds, if any:
  // { access, refresh }. They live here and nowhere else: a reload forgets them.
  // Tokens in cookies are out of the page's reach: it has those alone that a login
  // has returned beside them, until the first refresh.
  session: null,

  socket: null, // the admitted one, whose messages are shown
  renewable: false, // whether the page will have the next token for it
  coming: false, // whether there is to be one, as soon as there can be
  connection: "", // the server's name for it

  room: new URLSearchParams(location.search).get("room") || "lobby",
};
