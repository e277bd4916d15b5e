// One round of learning.

import { button, h } from "./dom.js";
import { duration, when } from "./words.js";

const DECISIONS = { published: "Published", rejected: "Not kept", skipped: "Skipped", on_trial: "On trial" };
const WHAT = {
  fusion: "How words and meaning are weighed",
  query_side: "How questions are understood",
  encoder: "How questions and documents are understood",
};

export const score = (value) => value.toFixed(3);

export class Round {
  constructor(round) {
    this.round = round;
    this.element = h("li", { class: `round ${round.decision}` }, this.head(), this.details());
  }

  head() {
    const { round, at, decision, reason, before, after, published, seconds } = this.round;
    return h(
      "div",
      { class: "round-head" },
      h("h3", null, `Round ${round}`, h("span", { class: `decision ${decision}` }, DECISIONS[decision] ?? decision)),
      h("p", { class: "faint" }, [at ? when(at) : "", `took ${duration(seconds)}`].filter(Boolean).join(" · ")),
      before !== null && after !== null ? this.change() : null,
      h("p", { class: "reason" }, published ? `${WHAT[published] ?? published} was learnt anew: ` : "", reason),
    );
  }

  /// Before and after as two bars and their numbers.
  change() {
    const { before, after, published, by_picks } = this.round;
    const bar = (name, value) => {
      const meter = h("meter", { class: name, min: "0", max: "1", value: String(value), "aria-hidden": "true" });
      return h("div", null, h("span", null, name === "before" ? "Before" : "After"), meter, h("b", null, score(value)));
    };
    const difference = after - before;
    const sign = difference >= 0 ? "+" : "−";
    return h(
      "div",
      { class: "change" },
      bar("before", before),
      bar("after", after),
      h(
        "p",
        { class: published && !by_picks ? "gain" : null },
        `${sign}${score(Math.abs(difference))}${by_picks ? ", left to picks" : ""}`,
      ),
    );
  }

  details() {
    const { queries_won: won, queries_lost: lost, before, round } = this.round;
    const parts = [table("Answered better", won), table("Answered worse", lost)].filter(Boolean);
    if (!parts.length && before === null) return null;
    const plots = h("div", { class: "plots" });
    const show = button("Show the plots", () => {
      plots.replaceChildren(
        h("iframe", {
          title: `Plots of round ${round}`,
          sandbox: "",
          src: `/api/v1/rounds/${round}/page`,
        }),
      );
    });
    plots.append(show);
    return h(
      "details",
      null,
      h("summary", null, parts.length ? "Questions won and lost, and plots" : "Plots"),
      parts,
      plots,
    );
  }
}

const rank = (value) => (value === null ? "not found" : `${value}.`);

function table(caption, queries) {
  if (!queries.length) return null;
  const row = ({ query, before, after, first_after: first }) =>
    h(
      "tr",
      null,
      h("th", { scope: "row" }, query),
      h("td", null, rank(before)),
      h("td", null, rank(after)),
      h("td", { class: "path" }, first[0] ?? ""),
    );
  return h(
    "div",
    { class: "wide", tabindex: "0", role: "group", "aria-label": caption },
    h(
      "table",
      { class: "queries" },
      h("caption", null, caption),
      h(
        "thead",
        null,
        h(
          "tr",
          null,
          ["Question", "Rank before", "after", "First now"].map((text) => h("th", { scope: "col" }, text)),
        ),
      ),
      h("tbody", null, queries.map(row)),
    ),
  );
}
