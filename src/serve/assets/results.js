// The list of results.

import { address } from "./api.js";
import { h, icon, iconButton, isOnCluster, note, say } from "./dom.js";
import { excerpt } from "./passage.js";
import { href } from "./route.js";
import { counted, day, kindName, pathOf } from "./words.js";

/// The results of an answer. `open` is called with a hit that is to be shown.
export class Results {
  constructor(open) {
    this.open = open;
    this.hits = [];
    this.picks = null;
    this.list = h("ol", { class: "hits" });
    this.list.addEventListener("keydown", (event) => this.key(event));
  }

  /// Shows hits in place of those before.
  show(hits, route, picks) {
    const focused = this.focused();
    const name = focused >= 0 ? this.hits[focused].document : null;
    this.hits = hits;
    this.route = route;
    this.picks = picks;
    this.list.replaceChildren(...hits.map((hit) => this.row(hit)));
    this.list.start = hits[0]?.rank ?? 1;
    if (name !== null)
      this.focus(
        Math.max(
          0,
          hits.findIndex((hit) => hit.document === name),
        ),
      );
  }

  /// Adds the next page.
  append(hits) {
    const first = this.hits.length;
    this.hits = [...this.hits, ...hits];
    this.list.append(...hits.map((hit) => this.row(hit)));
    this.focus(first);
  }

  row(hit) {
    const to = { ...this.route, document: hit.document, passage: String(hit.passage) };
    const open = (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
      event.preventDefault();
      this.open(hit);
    };
    const title = h("a", { href: href(to), class: "hit-title", on: { click: open } }, hit.title || hit.document);
    return h(
      "li",
      { class: "hit", "data-document": hit.document },
      h("div", { class: "hit-head" }, h("h2", null, title), h("span", { class: "hit-state" })),
      place(hit),
      excerpt(hit),
      also(hit),
      this.actions(hit),
    );
  }

  actions(hit) {
    const judge = (verdict) => () => this.judge(hit, verdict);
    const up = iconButton("up", "The right answer", "+", judge("chosen"));
    const down = iconButton("down", "Not what I looked for", "-", judge("not_relevant"));
    for (const [verdict, button] of [
      ["chosen", up],
      ["not_relevant", down],
    ]) {
      button.dataset.verdict = verdict;
      button.setAttribute("aria-pressed", "false");
    }
    const like = h(
      "a",
      {
        class: "icon-button",
        "data-route": "search",
        href: href({ like: hit.document, passage: String(hit.passage) }),
        "aria-label": "More like this",
        title: "More like this",
      },
      icon("like"),
    );
    const file = iconButton("file", "Open the file", "o", () => openFile(hit, this.picks));
    file.classList.add("of-machine");
    return h("div", { class: "hit-actions", role: "group", "aria-label": `About ${hit.title}` }, up, down, file, like);
  }

  judge(hit, verdict) {
    const { picks } = this;
    if (!picks.isLogged) {
      note("Documents that are like another one can't be judged: there is no question that they answer.");
      return;
    }
    picks.toggle(hit.document, verdict);
    const now = picks.of(hit.document);
    const said = { chosen: "Noted as the right answer.", not_relevant: "Noted: not what you looked for." };
    if (now) note(`${said[now]} Searching learns from it.`, "Undo", () => picks.say(hit.document, "withdrawn"));
    else say("Taken back.");
  }

  /// Shows what was said of a document.
  mark(document) {
    const row = [...this.list.children].find((row) => row.dataset.document === document);
    if (!row) return;
    const verdict = this.picks.of(document) ?? "";
    row.dataset.verdict = verdict;
    const words = { opened: "opened", chosen: "right answer", not_relevant: "not this" };
    row.querySelector(".hit-state").textContent = words[verdict] ?? "";
    for (const button of row.querySelectorAll("button[data-verdict]")) {
      button.setAttribute("aria-pressed", String(button.dataset.verdict === verdict));
    }
  }

  focused() {
    return [...this.list.children].findIndex((row) => row.contains(document.activeElement));
  }

  focus(at) {
    const row = this.list.children[Math.min(at, this.hits.length - 1)];
    const title = row?.querySelector(".hit-title");
    title?.focus({ preventScroll: true });
    row?.scrollIntoView({ block: "nearest" });
    return Boolean(title);
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const at = this.focused();
    if (at < 0) return;
    const hit = this.hits[at];
    const keys = {
      ArrowDown: () => this.focus(at + 1),
      ArrowUp: () => (at > 0 ? this.focus(at - 1) : document.getElementById("query").focus()),
      Home: () => this.focus(0),
      End: () => this.focus(this.hits.length - 1),
      "+": () => this.judge(hit, "chosen"),
      "-": () => this.judge(hit, "not_relevant"),
      o: () => openFile(hit, this.picks),
    };
    const act = keys[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  }
}

/// Opens a document's own file in a tab of its own, at the page where the passage stands.
export function openFile(hit, picks) {
  if (isOnCluster) {
    note("An index on a cluster has the text of a document, not its file.");
    return;
  }
  const url = fileAddress(hit.document, hit.place.page);
  window.open(url, "_blank", "noopener");
  picks?.open(hit.document);
  // Back in this page the look at the file is over.
  const back = () => {
    if (document.visibilityState === "visible") {
      document.removeEventListener("visibilitychange", back);
      picks?.back();
    }
  };
  document.addEventListener("visibilitychange", back);
}

export function fileAddress(id, page) {
  return address("file", { document: id }) + (page ? `#page=${page}` : "");
}

/// Where a passage stands: file › heading, and the page or line.
export function place(hit) {
  // Of a text that begins at its beginning there is nothing to say.
  const where = hit.place.label === "line 1" ? "" : hit.place.label;
  const { folders, name } = pathOf(hit.document);
  return h(
    "p",
    { class: "hit-place" },
    hit.kind ? h("span", { class: "kind" }, kindName(hit.kind)) : null,
    h(
      "span",
      { class: "path" },
      h("span", { class: "folders" }, folders),
      h("span", { class: "file" }, name),
      hit.heading ? ` › ${hit.heading.replaceAll(" > ", " › ")}` : null,
    ),
    where ? h("span", { class: "where" }, where) : null,
    hit.date ? h("time", { datetime: hit.date }, day(hit.date)) : null,
  );
}

function also(hit) {
  if (!hit.also.length) return null;
  return h(
    "p",
    { class: "also", title: hit.also.join("\n") },
    `The same in ${hit.also.length === 1 ? hit.also[0] : counted(hit.also.length, "other document")}`,
  );
}
