// Results whose documents have changed since they were found.

import { listen } from "./api.js";
import { button, h, say } from "./dom.js";
import { routeOf } from "./route.js";

/// While folders are read one change follows the other.
const REST_MS = 700;
/// Who has scrolled further reads.
const SCROLLED = 200;

/// Shows the results of a view anew when they are others: by itself while nobody has done anything with them, else when
/// one asks for it.
export class Freshness {
  constructor(view) {
    this.view = view;
    this.waiting = 0;
    listen("changed", () => {
      this.waiting ||= setTimeout(() => this.look(), REST_MS);
    });
  }

  async look() {
    this.waiting = 0;
    const { view } = this;
    const { shown } = view;
    // What is being asked is fresh.
    if (!shown || !view.isAtRest) return;
    let answer = null;
    try {
      answer = await view.fetch(shown.route, { log: false });
    } catch {
      // It is said when something is asked.
      return;
    }
    if (view.shown !== shown || !view.isAtRest || sameHits(shown.answer, answer)) return;
    if (this.isInUse()) this.offer();
    else view.renew(answer);
  }

  /// Whether somebody reads the results, or has done something with them.
  isInUse() {
    const { results, shown, element } = this.view;
    const isElsewhere = element.hidden || Boolean(routeOf().document);
    const isMoved = results.focused() >= 0 || results.hits.length > shown.answer.hits.length || scrollY > SCROLLED;
    return isElsewhere || isMoved || shown.picks.verdicts.size > 0 || !getSelection().isCollapsed;
  }

  offer() {
    const { about } = this.view;
    about.querySelector(".stale")?.remove();
    about.append(
      h(
        "p",
        { class: "notice stale" },
        "Documents have changed since. ",
        button("Show the results anew", () => this.view.again(), "plain"),
        h("kbd", { "aria-hidden": "true" }, "r"),
      ),
    );
    if (!this.view.element.hidden) say("Documents have changed since. Press r to show the results anew.");
  }
}

/// Whether two answers show the same.
export function sameHits(one, other) {
  const names = (answer) => answer.hits.map((hit) => `${hit.document}#${hit.passage}`).join("\n");
  return names(one) === names(other);
}
