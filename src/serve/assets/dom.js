// Elements, icons and what is said to the user. Texts become text nodes: nothing is ever parsed as HTML.

const SVG = "http://www.w3.org/2000/svg";

/// An element. `attributes` may hold `on` (an object of listeners) and `class`; what is null, undefined or false is
/// left out. Children are nodes, texts, or lists of them.
export function h(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "on") {
      for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
    } else if (value === true) {
      element.setAttribute(name, "");
    } else {
      element.setAttribute(name, value);
    }
  }
  element.append(
    ...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false),
  );
  return element;
}

/// An element of a drawing.
export function svg(tag, attributes, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes ?? {})) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

export function icon(name) {
  return svg("svg", { class: "icon", "aria-hidden": "true" }, svg("use", { href: `/icons.svg#${name}` }));
}

/// A button that shows an icon alone.
export function iconButton(name, label, key, listener) {
  const title = key ? `${label} (${key})` : label;
  return h(
    "button",
    { type: "button", class: "icon-button", "aria-label": label, title, on: { click: listener } },
    icon(name),
  );
}

export function button(label, listener, kind = "") {
  return h("button", { type: "button", class: `button ${kind}`, on: { click: listener } }, label);
}

/// Whether the index lies on a cluster: it has texts and no files, and learns elsewhere. What has the class
/// `of-machine` is not shown then.
export const isOnCluster = document.body.dataset.place === "cluster";

export const byId = (id) => document.getElementById(id);

/// Tells a screen reader what has changed on the screen.
export function say(text) {
  byId("live").textContent = text;
}

let fading = 0;

/// A note at the bottom of the screen, for some seconds; with something that can be done about it.
export function note(text, action, listener) {
  const toast = byId("toast");
  clearTimeout(fading);
  const hide = () => {
    toast.hidden = true;
  };
  const act = () => {
    hide();
    listener();
  };
  toast.replaceChildren(h("span", null, text), action ? button(action, act, "plain") : "");
  toast.hidden = false;
  fading = setTimeout(hide, 7000);
}

/// What went wrong, where something was to be shown.
export function failure(error) {
  return h("p", { class: "error", role: "alert" }, error.message);
}

/// Whether keys are typed into this element.
export function takesKeys(element) {
  return element instanceof Element && element.matches("input, textarea, select, [contenteditable]");
}
