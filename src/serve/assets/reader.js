// A document that was opened, at the passage that was found.

import { get } from "./api.js";
import { button, byId, failure, h, icon, iconButton, note, say } from "./dom.js";
import { inString } from "./passage.js";
import { fileAddress, openFile, place } from "./results.js";
import { go, href, question } from "./route.js";
import { markWords, textOf } from "./text.js";

/// Narrower screens show the text of a PDF first.
const WIDE = matchMedia("(min-width: 48rem)");

export class Reader {
  constructor() {
    this.element = byId("view-reader");
    this.opened = null;
  }

  get isOpen() {
    return !this.element.hidden;
  }

  /// Shows a document. `search` has the answer that it was found in, if the page came from there.
  async show(route, search) {
    const name = `${route.document}#${route.passage}`;
    if (this.isOpen && this.opened?.name === name) return;
    const hit = search.results.hits.find((hit) => hit.document === route.document);
    this.opened = { name, route, hit, picks: hit ? search.results.picks : null, search };
    this.answer = null;
    this.element.hidden = false;
    this.element.replaceChildren(h("p", { class: "empty" }, "…"));
    scrollTo({ top: 0 });
    try {
      const answer = await get("read", { document: route.document, passage: route.passage });
      if (this.opened.name !== name) return;
      this.render(answer);
      this.opened.picks?.open(route.document);
    } catch (error) {
      if (this.opened.name === name) this.element.replaceChildren(this.bar(), failure(error));
    }
  }

  hide() {
    if (!this.isOpen) return;
    this.element.hidden = true;
    this.element.replaceChildren();
    const { picks, search, route } = this.opened;
    this.opened = null;
    picks?.back();
    const at = search.results.hits.findIndex((hit) => hit.document === route.document);
    if (at >= 0 && !search.element.hidden) search.results.focus(at);
  }

  render(answer) {
    this.answer = answer;
    document.title = `${answer.title} – retune`;
    const title = h("h1", { tabindex: "-1" }, answer.title || answer.document);
    const at = answer.passages.find((passage) => passage.marked) ?? answer.passages[0];
    const about = place({ ...answer, heading: null, place: at?.place ?? { label: "" } });
    this.body = h("div", { class: "text" });
    this.element.replaceChildren(
      this.bar(),
      h("article", { class: "document", lang: "" }, h("header", null, title, about), this.body),
    );
    const page = at?.place.page;
    const hasPages = answer.file && answer.kind === "pdf" && navigator.pdfViewerEnabled;
    if (hasPages) this.pages(page);
    else this.text();
    this.mark();
    title.focus({ preventScroll: true });
    say(`${answer.title} opened`);
    // Once it is laid out.
    requestAnimationFrame(() => this.found()?.scrollIntoView({ block: "center" }));
  }

  bar() {
    const { hit, picks, route } = this.opened;
    const back = h(
      "button",
      { type: "button", class: "button plain", on: { click: () => this.leave() } },
      icon("back"),
      hit ? "Results" : "Search",
    );
    const judge = (verdict) => () => this.judge(verdict);
    this.up = iconButton("up", "The right answer", "+", judge("chosen"));
    this.down = iconButton("down", "Not what I looked for", "-", judge("not_relevant"));
    const like = h(
      "a",
      {
        class: "button plain",
        href: href({ like: route.document, passage: route.passage }),
        "data-route": "search",
      },
      icon("like"),
      "More like this",
    );
    const file =
      this.answer?.file !== false
        ? h(
            "button",
            {
              type: "button",
              class: "button plain of-machine",
              title: "Open the file (o)",
              on: {
                click: () => this.openFile(),
              },
            },
            icon("file"),
            "Open the file",
          )
        : null;
    return h(
      "div",
      { class: "bar" },
      back,
      h("span", { class: "space", "aria-hidden": "true" }, this.answer?.title),
      picks?.isLogged ? [this.up, this.down] : null,
      like,
      file,
    );
  }

  text() {
    const { answer } = this;
    const more = (label, passage) => button(label, () => this.extend(passage), "wide-button");
    const { before, after } = answer.cut;
    const words = this.words();
    const text = textOf(answer);
    this.body.replaceChildren(
      before ? more("Show what comes before", answer.passages[0].passage) : "",
      text,
      after ? more("Show what follows", answer.passages.at(-1).passage) : "",
    );
    markWords(text, words);
  }

  /// The passage that was found, in the text.
  found() {
    return this.body.querySelector(":scope > :is(.prose, .listing) .marked");
  }

  /// The words of the query, as they stand in the passage.
  words() {
    const { hit } = this.opened;
    if (!hit) return new Set();
    const ranges = inString(hit.text, hit.highlights);
    return new Set(ranges.map(([start, end]) => hit.text.slice(start, end).toLowerCase()));
  }

  /// The file's pages in the browser's own viewer, and the text beside them.
  pages(page) {
    const viewer = h("iframe", {
      class: "pages",
      title: `The pages of ${this.answer.title}`,
      src: `${fileAddress(this.answer.document, page ?? 1)}&navpanes=0&view=FitH`,
    });
    const tab = (label, isFirst, show) =>
      h(
        "button",
        {
          type: "button",
          class: "chip",
          "aria-pressed": String(isFirst),
          on: {
            click: (event) => {
              for (const other of event.currentTarget.parentElement.children) {
                other.setAttribute("aria-pressed", String(other === event.currentTarget));
              }
              show();
            },
          },
        },
        label,
      );
    const showPages = () => {
      const found = this.answer.passages.filter((passage) => passage.marked);
      const card = h(
        "aside",
        { class: "card", "aria-label": "The passage that was found" },
        found.length ? textOf({ ...this.answer, passages: found }) : null,
      );
      this.body.replaceChildren(found.length ? card : "", viewer);
      markWords(card, this.words());
    };
    const isWide = WIDE.matches;
    this.body.before(
      h(
        "div",
        { class: "chips", role: "group", "aria-label": "Show" },
        tab("Pages", isWide, showPages),
        tab("Text", !isWide, () => this.text()),
      ),
    );
    if (isWide) showPages();
    else this.text();
  }

  /// Reads on around the first or the last passage.
  async extend(passage) {
    try {
      const { document } = this.answer;
      const more = await get("read", { document, passage });
      if (this.answer.document !== document) return;
      this.answer = joined(this.answer, more);
      const first = this.found();
      const before = first?.getBoundingClientRect().top;
      this.text();
      // What is being read stays where it is.
      const now = this.found()?.getBoundingClientRect().top;
      if (before !== undefined && now !== undefined) scrollBy({ top: now - before });
    } catch (error) {
      note(error.message);
    }
  }

  judge(verdict) {
    const { hit, search, picks } = this.opened;
    if (!hit || !picks?.isLogged) return;
    search.results.judge(hit, verdict);
    this.mark();
  }

  /// Shows what was said of the document.
  mark() {
    const verdict = this.opened?.picks?.of(this.opened.route.document);
    this.up?.setAttribute("aria-pressed", String(verdict === "chosen"));
    this.down?.setAttribute("aria-pressed", String(verdict === "not_relevant"));
  }

  openFile() {
    const found = this.answer?.passages.find((passage) => passage.marked);
    if (this.answer?.file) openFile({ document: this.answer.document, place: found?.place ?? {} }, null);
  }

  /// Back to the results.
  leave() {
    if (history.state?.isInside) history.back();
    else go(question({ ...this.opened.route, like: "" }));
  }

  /// Does what a key stands for. Says whether it stands for something.
  act(event) {
    const keys = {
      Escape: () => this.leave(),
      "+": () => this.judge("chosen"),
      "-": () => this.judge("not_relevant"),
      o: () => this.openFile(),
    };
    const act = keys[event.key];
    if (!act) return false;
    event.preventDefault();
    act();
    return true;
  }
}

/// Two parts of a document that overlap, as one.
function joined(one, other) {
  const marked = new Set(one.passages.filter((passage) => passage.marked).map(({ passage }) => passage));
  const known = new Set(one.passages.map(({ passage }) => passage));
  const at = other.passages.findIndex(({ passage }) => known.has(passage));
  const end = other.passages.findLastIndex(({ passage }) => known.has(passage));
  const before = other.passages.slice(0, Math.max(at, 0));
  const after = other.passages.slice(end + 1);
  const own = ({ passage }) => marked.has(passage);
  const passages = [...before, ...one.passages, ...after].map((passage) => ({ ...passage, marked: own(passage) }));
  // Whether an edge of the other part lies within this one.
  const isInside = (passage, edge) => known.has(passage.passage) && passage.passage !== edge.passage;
  const cut = {
    before: (isInside(other.passages[0], one.passages[0]) ? one : other).cut.before,
    after: (isInside(other.passages.at(-1), one.passages.at(-1)) ? one : other).cut.after,
  };
  return { ...one, passages, cut };
}
