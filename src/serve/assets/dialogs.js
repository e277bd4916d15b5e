// Questions before something is done that can't be undone, and the help.

import { h, isOnCluster } from "./dom.js";

const KEYS = [
  ["/", "To the search field"],
  ["↓ ↑", "Through the results"],
  ["Enter", "To the first result; on a result: open it"],
  isOnCluster ? null : ["o", "Open the file itself"],
  ["+", "The right answer; again: take it back"],
  ["-", "Not what I looked for; again: take it back"],
  ["r", "Show the results anew"],
  ["Esc", "Back"],
  ["?", "This help"],
].filter(Boolean);

function dialog(label, content) {
  const element = h("dialog", { "aria-label": label }, content);
  const before = document.activeElement;
  element.addEventListener("close", () => {
    element.remove();
    before?.focus?.();
  });
  // A click beside it closes it.
  element.addEventListener("click", (event) => {
    if (event.target === element) element.close();
  });
  document.body.append(element);
  element.showModal();
  return element;
}

/// Asks whether to do something. `true` if it is to be done.
export function confirm(question, detail, label) {
  return new Promise((resolve) => {
    const done = h("button", { class: "button danger", value: "yes" }, label);
    const leave = h("button", { class: "button", value: "", autofocus: true }, "Leave it");
    const element = dialog(
      question,
      h(
        "form",
        { method: "dialog" },
        h("h2", null, question),
        h("p", null, detail),
        h("div", { class: "buttons" }, leave, done),
      ),
    );
    element.addEventListener("close", () => resolve(element.returnValue === "yes"));
  });
}

export function help() {
  const close = h("button", { class: "button", autofocus: true }, "Close");
  dialog(
    "Help",
    h(
      "form",
      { method: "dialog" },
      h("h2", null, "Keys"),
      h(
        "dl",
        { class: "keys" },
        KEYS.map(([key, what]) =>
          h(
            "div",
            null,
            h(
              "dt",
              null,
              key.split(" ").map((one) => h("kbd", null, one)),
            ),
            h("dd", null, what),
          ),
        ),
      ),
      h("h2", null, "What is learnt"),
      h(
        "p",
        null,
        "A document that you open counts as a pick. Coming back within a few seconds takes it back. " +
          "Thumbs say it outright. " +
          (isOnCluster
            ? "What is asked and picked is kept on the cluster, and under Questions everything can be forgotten."
            : "Nothing leaves this machine, and under Learning everything can be forgotten."),
      ),
      h("div", { class: "buttons" }, close),
    ),
  );
}

export const isAsking = () => Boolean(document.querySelector("dialog[open]"));
