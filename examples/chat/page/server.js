// Talking to the server over HTTP.

import { sentence } from "./dom.js";

// server is the chat that this page talks to: the one that it comes from, or
// another that it was made for. To another origin it sends no cookies.
export const server = new URL(document.documentElement.dataset.server || ".", document.baseURI);
export const foreign = server.origin !== location.origin;

// ask sends a request with the cookies or without any. Both together with
// another token would be two tokens, which the server refuses.
export async function ask(method, path, { cookies, token, body } = {}) {
  const headers = {};
  if (token) headers["Authorization"] = "Bearer " + token;
  if (body) headers["Content-Type"] = "application/json";
  const answer = { ok: false, status: 0, data: null, wait: 0 };
  try {
    const response = await fetch(new URL(path, server), {
      method,
      headers,
      credentials: cookies ? "same-origin" : "omit",
      body: body ? JSON.stringify(body) : undefined,
    });
    answer.ok = response.ok;
    answer.status = response.status;
    answer.wait = 1000 * (Number(response.headers.get("Retry-After")) || 0);
    answer.data = await response.json();
  } catch {
    // No answer, or one without a body.
  }
  return answer;
}

// failed reports whether a request was not refused: the same one may succeed later,
// after answer.wait milliseconds at least.
export function failed({ status }) {
  return [0, 408, 429].includes(status) || (status >= 500 && status !== 501);
}

// problem says what a refusal means.
export function problem(answer) {
  if (answer.status === 0 && foreign) {
    return `${server.origin} does not answer, or not to pages of ${location.origin}; browsers do not tell a page which.`;
  }
  if (answer.status === 0) return "The server does not answer.";
  const advice = {
    cross_origin: `— It has cookies, and takes logins only from origins that http.allowed_origins lists: add ${location.origin}.`,
    tickets_unsupported: "— It has no denylist to see that a ticket works but once. Choose another way for the token.",
  }[answer.data?.code];
  return sentence([answer.status, answer.data?.detail ?? "The server refused without a reason", advice].filter(Boolean).join(" "));
}
