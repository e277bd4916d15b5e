// What was asked lately and what was picked, and forgetting it.

import { get, post } from "./api.js";
import { confirm } from "./dialogs.js";
import { button, failure, h, icon, note } from "./dom.js";
import { href } from "./route.js";
import { counted, when } from "./words.js";

const PAGE = 20;
const SAID = { opened: "opened", chosen: "right answer", relevant: "relevant", not_relevant: "not this" };

export class Questions {
  constructor() {
    this.shown = PAGE;
    this.list = h("ol", { class: "questions" });
    this.more = h("div", { class: "more" });
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
      h("h2", { id: "asked" }, "Asked lately"),
      this.list,
      this.more,
      h("h2", null, "Forget"),
      h(
        "p",
        { class: "faint" },
        "What is forgotten is removed from the log for good. What was learnt from it stays ",
        "until a round learns without it.",
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

  async load() {
    try {
      const answer = await get("log");
      this.all = answer.queries;
      this.render();
    } catch (error) {
      this.list.replaceChildren(failure(error));
    }
  }

  render() {
    const { all } = this;
    if (!all.length) {
      this.list.replaceChildren(h("li", { class: "empty" }, "Nothing is noted."));
    } else {
      this.list.replaceChildren(...all.slice(0, this.shown).map((asked) => this.row(asked)));
    }
    const next = () => {
      this.shown += PAGE;
      this.render();
      this.list.children[this.shown - PAGE]?.querySelector("a")?.focus();
    };
    this.more.replaceChildren(all.length > this.shown ? button("Show more", next) : "");
    const picked = new Set(all.flatMap((asked) => asked.picked.map(({ document }) => document)));
    this.documents.replaceChildren(...[...picked].map((document) => h("option", { value: document })));
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
    await this.forget(
      { query },
      `Forget “${query}”?`,
      "Every time it was asked, and what was picked then, is removed " + "from the log for good.",
    );
  }

  async forgetDocument(document) {
    if (!document) return false;
    return this.forget(
      { document },
      `Forget ${document}?`,
      "It is removed from every answer in the log, with what was said of it. The document itself stays.",
    );
  }

  async forgetAll() {
    await this.forget(
      { everything: true },
      "Forget everything?",
      "Every question and every pick is removed from the log for good. What was learnt from them stays.",
    );
  }

  async forget(what, question, detail) {
    if (!(await confirm(question, detail, "Forget"))) return false;
    try {
      const { records } = await post("forget", what);
      note(records === undefined ? "Forgotten." : `Forgotten: ${counted(records, "record")} of the log.`);
      await this.load();
      return true;
    } catch (error) {
      note(error.message);
      return false;
    }
  }
}
