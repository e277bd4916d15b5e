// What is said above the results.

import { h } from "./dom.js";
import { href } from "./route.js";

export const nameOf = (id) => id.slice(id.lastIndexOf("/") + 1);

/// What is said of an answer.
export function about(route, answer) {
  const notices = answer.notices.map((text) => h("p", { class: "notice" }, text));
  const lead = route.like
    ? h(
        "h2",
        { class: "like" },
        "More like ",
        h(
          "a",
          {
            href: href({ document: route.like, passage: route.passage }),
            "data-route": "search",
          },
          nameOf(route.like),
        ),
      )
    : null;
  if (answer.hits.length) return [lead, ...notices].filter(Boolean);
  const filtered = route.type || route.folder || route.after || route.before;
  return [
    h(
      "div",
      { class: "empty" },
      h("p", null, "Nothing found."),
      h(
        "p",
        { class: "faint" },
        filtered ? "The filters above leave something out: try without them." : "Try other words, or fewer of them.",
      ),
    ),
    ...notices,
  ];
}
