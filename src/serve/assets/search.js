// The view that searches as one types.

import { about, nameOf } from "./about.js";
import { get, session } from "./api.js";
import { byId, button, failure, h, say } from "./dom.js";
import { extensionsOf, Filters, noteKinds } from "./filters.js";
import { Freshness, sameHits } from "./fresh.js";
import { home } from "./home.js";
import { Picks } from "./picks.js";
import { Results } from "./results.js";
import { go, href, question, rename, routeOf } from "./route.js";
import { counted } from "./words.js";

/// Somebody who types on is not answered.
const TYPING_MS = 120;
/// A query that rests this long is meant: it is asked again for the log.
const REST_MS = 1000;
const PAGE = 20;

export class Search {
  constructor(open) {
    this.element = byId("view-search");
    this.input = byId("query");
    this.status = null;
    this.route = question(routeOf());
    this.shown = null;
    this.filters = new Filters((change) => this.filter(change));
    this.results = new Results((hit) => open(hit, this));
    this.about = h("div", { class: "about" });
    this.more = h("div", { class: "more" });
    this.home = h("div");
    this.found = h("div", { class: "found" }, this.filters.element, this.about, this.results.list, this.more);
    this.element.append(h("h1", { class: "hidden" }, "Search"), this.home, this.found);
    this.input.addEventListener("input", () => this.typed());
    this.input.addEventListener("keydown", (event) => this.key(event));
    byId("search").addEventListener("submit", (event) => {
      event.preventDefault();
      this.rest().then(() => this.results.focus(0));
    });
    byId("clear").addEventListener("click", () => this.clear());
    this.freshness = new Freshness(this);
  }

  /// Shows the results of a route: those that are there, if they are its own.
  show(route) {
    const asked = question(route);
    this.element.hidden = Boolean(route.document) || route.view !== "search";
    if (this.shown && href(asked) === href(this.shown.route)) return;
    if (route.view !== "search") return;
    if (this.input.value.trim() !== asked.q) this.input.value = asked.q;
    if (route.document) return;
    this.route = asked;
    this.stop();
    this.ask(true, history.state?.query_id ?? null);
  }

  typed() {
    this.route = { ...this.route, q: this.input.value.trim(), like: "", passage: "" };
    if (routeOf().view !== "search" || routeOf().document) go(this.route);
    this.stop();
    this.typing = setTimeout(() => this.ask(false), TYPING_MS);
    this.resting = setTimeout(() => this.rest(), REST_MS);
    byId("clear").hidden = !this.input.value;
  }

  key(event) {
    if (event.isComposing || event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === "ArrowDown" && this.results.hits.length) {
      event.preventDefault();
      this.results.focus(0);
      this.rest();
    } else if (event.key === "Escape") {
      event.preventDefault();
      if (this.input.value) this.clear();
      else this.input.blur();
    }
  }

  clear() {
    this.input.value = "";
    this.typed();
    this.input.focus();
  }

  filter(change) {
    this.route = { ...this.route, ...change };
    this.stop();
    this.rest();
  }

  /// Ends what was asked before.
  stop() {
    clearTimeout(this.typing);
    clearTimeout(this.resting);
    this.request?.abort();
  }

  /// The query is meant: it is asked for the log, unless it was already.
  rest() {
    this.stop();
    const { shown } = this;
    if (shown && href(shown.route) === href(this.route)) {
      if (!routeOf().document) rename(this.route, { query_id: shown.answer.query_id }, true);
      return shown.identify();
    }
    return this.ask(true);
  }

  /// One of the results that are shown is opened: what was typed since is not asked.
  settle() {
    this.route = this.shown.route;
    this.input.value = this.route.q;
    this.rest();
  }

  /// Asks the query of the route and shows the answer. `known` is the id of an earlier answer to it.
  async ask(isMeant, known = null) {
    const route = this.route;
    this.filters.show(route);
    byId("clear").hidden = !this.input.value;
    if (isMeant) rename(route, null, true);
    if (!route.q && !route.like) return this.showHome();
    this.request = new AbortController();
    const { signal } = this.request;
    this.element.setAttribute("aria-busy", "true");
    const slow = setTimeout(() => this.about.classList.add("slow"), 300);
    try {
      const answer = await this.fetch(route, { log: isMeant && !known }, signal);
      if (known) answer.query_id = known;
      this.showAnswer(new Shown(route, answer, this));
    } catch (error) {
      if (error.name !== "AbortError") this.showError(error);
    } finally {
      clearTimeout(slow);
      if (!signal.aborted) {
        this.element.removeAttribute("aria-busy");
        this.about.classList.remove("slow");
      }
    }
  }

  fetch(route, { log, offset = 0, page_of = null }, signal) {
    if (route.like) return get("similar", { document: route.like, passage: route.passage, limit: PAGE }, signal);
    const { q, folder, after, before, mode } = route;
    const ext = extensionsOf(route.type);
    return get("search", { q, mode, limit: PAGE, offset, page_of, log, session, ext, folder, after, before }, signal);
  }

  showHome() {
    this.shown = null;
    this.found.hidden = true;
    this.home.hidden = false;
    this.home.replaceChildren(home(this.status));
    this.results.show([], this.route, null);
    document.body.classList.add("at-home");
    document.title = "retune";
  }

  /// Whether what is shown is what was asked last.
  get isAtRest() {
    const { shown, route, element } = this;
    return Boolean(shown) && href(shown.route) === href(route) && !element.hasAttribute("aria-busy");
  }

  /// Asks what is shown again. What had the focus keeps it, if it is still there.
  again() {
    if (!this.shown) return;
    this.route = this.shown.route;
    this.stop();
    this.ask(true);
  }

  /// Shows another answer to what is shown, where it is. It is logged once something is said of it.
  renew(answer) {
    const { route } = this.shown;
    rename(route, null, false);
    this.showAnswer(new Shown(route, answer, this), true);
  }

  showAnswer(shown, isQuiet = false) {
    const before = this.shown;
    const { route, answer } = shown;
    this.shown = shown;
    this.home.hidden = true;
    this.found.hidden = false;
    document.body.classList.remove("at-home");
    document.title = `${route.like ? `Like ${nameOf(route.like)}` : route.q} – retune`;
    if (noteKinds(answer.hits.map((hit) => hit.kind))) this.filters.show(route);
    const isSame = before && sameHits(before.answer, answer);
    this.results.show(answer.hits, route, shown.picks);
    for (const hit of answer.hits) this.results.mark(hit.document);
    if (!isSame && !isQuiet) scrollTo({ top: 0 });
    this.about.replaceChildren(...about(route, answer));
    this.showMore(answer.hits.length);
    if (answer.query_id) rename(route, { query_id: answer.query_id }, false);
    say(answer.hits.length ? `${counted(answer.hits.length, "result")} for ${route.q}` : "Nothing found");
  }

  showMore(count) {
    const isEnd = count < PAGE || this.shown.route.like;
    this.more.replaceChildren(isEnd ? "" : button("Show more", () => this.next()));
  }

  async next() {
    const { shown } = this;
    try {
      const page_of = await shown.identify();
      const offset = this.results.hits.length;
      const answer = await this.fetch(shown.route, { log: Boolean(page_of), offset, page_of });
      if (this.shown !== shown) return;
      this.results.append(answer.hits);
      this.showMore(answer.hits.length);
      say(counted(this.results.hits.length, "result"));
    } catch (error) {
      this.more.append(failure(error));
    }
  }

  showError(error) {
    this.shown = null;
    this.home.hidden = true;
    this.found.hidden = false;
    document.body.classList.remove("at-home");
    this.results.show([], this.route, null);
    this.about.replaceChildren(failure(error));
    this.more.replaceChildren();
  }

  /// The service says what it is.
  setStatus(status) {
    const wasFirst = !this.status || this.status.documents !== status.documents;
    const folders = JSON.stringify(status.folders);
    if (folders !== JSON.stringify(this.filters.folders)) {
      this.filters.folders = status.folders;
      this.filters.show(this.route);
    }
    this.status = status;
    if (wasFirst && !this.home.hidden) this.home.replaceChildren(home(status));
  }
}

/// An answer on the screen.
class Shown {
  constructor(route, answer, view) {
    this.route = route;
    this.answer = answer;
    this.view = view;
    this.picks = new Picks(
      () => this.identify(),
      (document) => view.results.mark(document),
    );
    this.picks.isLogged = !route.like;
    this.asked = answer.query_id ? Promise.resolve(answer.query_id) : null;
  }

  /// The answer's id. One that was given while somebody typed is asked for the log now.
  identify() {
    if (this.route.like) return Promise.resolve(null);
    this.asked ??= this.view.fetch(this.route, { log: true }).then(({ query_id }) => {
      this.answer.query_id = query_id;
      if (this.view.shown === this && !routeOf().document) rename(this.route, { query_id }, false);
      return query_id;
    });
    // What failed can be tried again.
    this.asked.catch(() => {
      this.asked = null;
    });
    return this.asked;
  }
}
