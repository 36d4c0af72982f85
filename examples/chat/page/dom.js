// What every module needs of the document. Whatever others wrote is set as text,
// never as HTML.

export const $ = (id) => document.getElementById(id);

export function element(name, className, text) {
  const e = document.createElement(name);
  if (className) e.className = className;
  if (text) e.textContent = text;
  return e;
}

// on has a control do something instead of what browsers do.
export function on(id, event, act) {
  $(id).addEventListener(event, (e) => {
    e.preventDefault();
    act();
  });
}

// sentence ends a text that others have written.
export function sentence(text) {
  return /[.?!…]$/.test(text) ? text : text + ".";
}

// say shows one line of good, bad or other news.
export function say(kind, text) {
  $("status").dataset.kind = kind;
  $("status").textContent = text;
}

// focusIsLost reports whether nothing has the focus any more, as after a login,
// when its form is hidden.
export function focusIsLost() {
  return document.activeElement === document.body || document.activeElement?.closest("[hidden]") !== null;
}
