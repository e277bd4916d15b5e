// What the index holds, how far it is, and what was passed over.

import { get, listen, post } from "./api.js";
import { button, byId, failure, h, note } from "./dom.js";
import { href } from "./route.js";
import { bytes, count, counted, day, duration, kindName, pathOf, percent } from "./words.js";

const PAGE = 50;

export class Documents {
  constructor() {
    this.element = byId("view-index");
    this.facts = h("div", { class: "state" });
    const look = button("Look for changes now", () => this.look());
    this.state = h("div", { class: "state" }, this.facts, h("div", { class: "buttons of-machine" }, look));
    this.passed = h("div");
    this.table = h("tbody");
    this.more = h("div", { class: "more" });
    this.empty = h("div");
    const head = ["Document", "Type", "Changed", "Passages"].map((text) => h("th", { scope: "col" }, text));
    this.element.append(
      h("h1", null, "Index"),
      this.state,
      h(
        "section",
        { "aria-labelledby": "passed", class: "of-machine" },
        h("h2", { id: "passed" }, "Passed over"),
        this.passed,
      ),
      h(
        "section",
        { "aria-labelledby": "documents" },
        h("h2", { id: "documents" }, "Documents"),
        this.empty,
        h(
          "div",
          { class: "wide" },
          h("table", { class: "documents" }, h("thead", null, h("tr", null, head)), this.table),
        ),
        this.more,
      ),
    );
    listen("changed", () => {
      // Not under somebody's hands.
      if (this.isOpen && this.isAtStart && !this.element.contains(document.activeElement)) this.load();
    });
  }

  get isOpen() {
    return !this.element.hidden;
  }

  show() {
    this.element.hidden = false;
    document.title = "Index – retune";
    this.load();
  }

  async load() {
    try {
      const answer = await get("files", { limit: PAGE });
      this.isAtStart = true;
      this.table.replaceChildren(...answer.documents.map(row));
      this.table.closest(".wide").hidden = !answer.documents.length;
      this.empty.replaceChildren(answer.documents.length ? "" : h("p", { class: "empty" }, "Nothing is indexed yet."));
      this.showMore(answer.next);
      this.passed.replaceChildren(...passedOver(answer.passed_over));
    } catch (error) {
      this.empty.replaceChildren(failure(error));
    }
  }

  showMore(after) {
    this.more.replaceChildren(after ? button("Show more", () => this.next(after)) : "");
  }

  async next(after) {
    try {
      const answer = await get("files", { limit: PAGE, after });
      const rows = answer.documents.map(row);
      this.isAtStart = false;
      this.table.append(...rows);
      this.showMore(answer.next);
      rows[0]?.querySelector("a")?.focus({ preventScroll: true });
    } catch (error) {
      note(error.message);
    }
  }

  setStatus(status) {
    const { documents, chunks, coverage: covered, indexing, folders, generation, cluster } = status;
    const key = JSON.stringify([documents, chunks, covered, indexing, folders, generation, cluster]);
    if (key === this.key) return;
    this.key = key;
    const figures = [
      [documents, "document"],
      [chunks, "passage"],
      cluster ? null : [folders.length, "folder"],
    ].filter(Boolean);
    this.facts.replaceChildren(
      h(
        "dl",
        { class: "figures" },
        figures.map(([value, name]) =>
          h("div", null, h("dt", null, value === 1 ? name : `${name}s`), h("dd", null, count(value))),
        ),
      ),
      reading(status) ?? "",
      coverage(status) ?? "",
      h(
        "dl",
        { class: "facts" },
        cluster ? null : fact("Follows", followed(folders)),
        fact(cluster ? "Lies on" : "Lies in", h("span", { class: "path" }, status.index)),
        cluster?.health ? fact("Nodes", nodes(cluster)) : null,
        fact("Model", h("span", { class: "path" }, status.model.folder || "not loaded yet")),
        fact("Generation", String(generation)),
        fact("Version", `retune ${status.version}`),
      ),
    );
  }

  async look() {
    try {
      await post("index");
      note("Looking for files that were added, changed or removed.");
    } catch (error) {
      note(error.message);
    }
  }
}

const fact = (name, value) => h("div", null, h("dt", null, name), h("dd", null, value));

function followed(folders) {
  if (!folders.length) return "no folder";
  return folders.map(({ path, name }) =>
    h("div", null, h("span", { class: "path" }, path), name ? h("span", { class: "faint" }, ` as ${name}`) : null),
  );
}

/// How many nodes there are, and what of the index is on them.
function nodes({ nodes: there, health }) {
  const copies = { green: "all copies are there", yellow: "some copies are missing", red: "a part is missing" };
  return `${count(there)}; ${copies[health] ?? health}`;
}

/// How much of the files that are new or have changed was read.
function reading({ indexing }) {
  if (indexing?.stage !== "reading") return null;
  const { done, total } = indexing;
  return h(
    "div",
    { class: "coverage" },
    h("progress", { max: String(total), value: String(done), "aria-label": "Read" }),
    h("p", null, `${bytes(done)} of ${bytes(total)} of new and changed files are read${left(indexing)}.`),
  );
}

const left = ({ eta_s }) => (eta_s ? `, about ${duration(eta_s)} left` : "");

/// How much can be found by its meaning, and how long the rest takes.
function coverage({ coverage: { covered, chunks }, indexing }) {
  if (!chunks) return null;
  const rest = indexing?.stage === "encoding" ? left(indexing) : "";
  const text =
    covered === chunks
      ? "All passages can be found by their meaning."
      : `All can be found by their words, ${percent(covered / chunks)} by their meaning so far${rest}.`;
  return h(
    "div",
    { class: "coverage" },
    covered < chunks
      ? h("progress", { max: String(chunks), value: String(covered), "aria-label": "Found by meaning" })
      : null,
    h("p", null, text),
  );
}

function row(document) {
  const { folders, name } = pathOf(document.document);
  const { passages, covered } = document;
  const to = href({ document: document.document });
  const title = document.title && document.title !== name ? h("div", { class: "faint" }, document.title) : null;
  return h(
    "tr",
    null,
    h(
      "td",
      null,
      h("a", { href: to, "data-route": "search", class: "path" }, h("span", { class: "folders" }, folders), name),
      title,
    ),
    h("td", null, kindName(document.kind)),
    h("td", null, day(document.modified)),
    h("td", null, covered < passages ? `${count(covered)} of ${count(passages)}` : count(passages)),
  );
}

function passedOver(groups) {
  if (!groups.length) return [h("p", { class: "faint" }, "Nothing: every file in the folders was read.")];
  return groups.map(({ reason, count: files, examples }) =>
    h(
      "details",
      { class: "passed" },
      h(
        "summary",
        null,
        h("span", null, reason.charAt(0).toUpperCase() + reason.slice(1)),
        h("span", { class: "faint" }, counted(files, "file")),
      ),
      h(
        "ul",
        null,
        examples.map((example) => h("li", { class: "path" }, example)),
        files > examples.length ? h("li", { class: "faint" }, `and ${count(files - examples.length)} more`) : null,
      ),
    ),
  );
}
