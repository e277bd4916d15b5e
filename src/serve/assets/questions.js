// What was asked and what was picked, and forgetting it.

import { get, post } from "./api.js";
import { confirm } from "./dialogs.js";
import { button, h, icon, isOnCluster, note } from "./dom.js";
import { LongList } from "./log.js";
import { href } from "./route.js";
import { counted, when } from "./words.js";

const PAGE = 100;
/// Somebody who types on is not answered.
const TYPING_MS = 150;
/// Documents that are offered to be forgotten.
const OFFERED = 500;
const SAID = { opened: "opened", chosen: "right answer", relevant: "relevant", not_relevant: "not this" };

export class Questions {
  constructor() {
    this.list = new LongList("Questions", {
      load: (after) => this.load(after),
      row: (asked) => this.row(asked),
      nothing: () =>
        h("p", { class: "empty" }, this.filter.value.trim() ? "No question has this." : "Nothing is noted."),
    });
    const typed = () => {
      clearTimeout(this.typing);
      this.typing = setTimeout(() => this.list.begin(), TYPING_MS);
    };
    this.filter = h("input", {
      id: "find-question",
      type: "search",
      placeholder: "Find a question",
      autocomplete: "off",
      spellcheck: "false",
      on: { input: typed },
    });
    const document = h("input", {
      id: "forget-document",
      list: "picked-documents",
      placeholder: "notes/letter.md",
      spellcheck: "false",
    });
    this.documents = h("datalist", { id: "picked-documents" });
    const submit = (event) => {
      event.preventDefault();
      this.forgetDocument(document.value.trim()).then((done) => {
        if (done) document.value = "";
      });
    };
    this.element = h(
      "section",
      { "aria-labelledby": "asked" },
      h(
        "div",
        { class: "asked-head" },
        h("h2", { id: "asked" }, "Asked"),
        h("label", { class: "hidden", for: "find-question" }, "Find a question"),
        this.filter,
      ),
      this.list.element,
      h("h2", null, "Forget"),
      h(
        "p",
        { class: "faint" },
        "What is forgotten is removed from the log for good. What was learnt from it stays ",
        "until a round learns without it.",
        isOnCluster ? " An index that has imported it has it still: “retune forget” there." : null,
      ),
      h(
        "form",
        { class: "forget", on: { submit } },
        h("label", { for: "forget-document" }, "A document"),
        document,
        this.documents,
        h("button", { class: "button" }, "Forget it"),
      ),
      h(
        "div",
        { class: "buttons" },
        button("Forget everything", () => this.forgetAll(), "danger"),
      ),
    );
  }

  /// Shows the questions from the latest on.
  show() {
    this.list.begin();
  }

  async load(last) {
    const contains = this.filter.value.trim();
    const { queries, next } = await get("log", { limit: PAGE, after: last?.query_id, contains });
    this.offer(queries);
    return { items: queries, isLast: !next };
  }

  /// Offers the documents that were picked to be forgotten.
  offer(queries) {
    const known = new Set([...this.documents.children].map((option) => option.value));
    const picked = new Set(queries.flatMap((asked) => asked.picked.map(({ document }) => document)));
    const more = [...picked].filter((document) => !known.has(document)).slice(0, OFFERED - known.size);
    this.documents.append(...more.map((document) => h("option", { value: document })));
  }

  row(asked) {
    const picked = asked.picked
      .filter(({ verdict }) => SAID[verdict])
      .map(({ document, verdict }) =>
        h(
          "li",
          { class: verdict },
          h("span", { class: "path" }, document),
          " ",
          h("span", { class: "said" }, SAID[verdict]),
        ),
      );
    const forget = h(
      "button",
      {
        type: "button",
        class: "icon-button",
        "aria-label": `Forget “${asked.query}”`,
        title: "Forget this question",
        on: { click: () => this.forgetQuery(asked.query) },
      },
      icon("cross"),
    );
    return h(
      "li",
      { class: "question" },
      h(
        "div",
        null,
        h("a", { href: href({ q: asked.query }), "data-route": "search" }, asked.query || "(no words)"),
        h("span", { class: "faint" }, when(asked.at)),
        forget,
      ),
      picked.length ? h("ul", { class: "picked" }, picked) : null,
    );
  }

  async forgetQuery(query) {
    const isForgotten = await this.forget(
      { query },
      `Forget “${query}”?`,
      "Every time it was asked, and what was picked then, is removed from the log for good.",
    );
    // One reads on where one was.
    if (isForgotten) this.list.remove((asked) => normal(asked.query) === normal(query));
  }

  async forgetDocument(document) {
    if (!document) return false;
    const isForgotten = await this.forget(
      { document },
      `Forget ${document}?`,
      "It is removed from every answer in the log, with what was said of it. The document itself stays.",
    );
    if (isForgotten) this.anew();
    return isForgotten;
  }

  async forgetAll() {
    const isForgotten = await this.forget(
      { everything: true },
      "Forget everything?",
      "Every question and every pick is removed from the log for good. What was learnt from them stays, except for " +
        "what is on trial.",
    );
    if (isForgotten) this.anew();
  }

  anew() {
    this.documents.replaceChildren();
    this.list.begin();
  }

  async forget(what, question, detail) {
    if (!(await confirm(question, detail, "Forget"))) return false;
    try {
      const { records } = await post("forget", what);
      note(records === undefined ? "Forgotten." : `Forgotten: ${counted(records, "record")} of the log.`);
      return true;
    } catch (error) {
      note(error.message);
      return false;
    }
  }
}

/// A question as the log compares it.
const normal = (text) => text.normalize("NFC").toLowerCase().split(/\s+/).filter(Boolean).join(" ");
