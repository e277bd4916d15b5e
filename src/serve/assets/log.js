// A long list in a box of its own: pages come as one scrolls, and only those near the box have rows.

import { failure, h } from "./dom.js";

export class LongList {
  /// `load` promises the page behind an item, or the first one: `{ items, isLast }`. `row` makes an item's element;
  /// `nothing` says why there is none.
  constructor(label, { load, row, nothing }) {
    Object.assign(this, { load, row, nothing });
    this.pages = [];
    this.turn = 0;
    this.isLast = true;
    this.end = h("div", { class: "end" });
    this.element = h("div", { class: "log", tabindex: "0", role: "group", "aria-label": label }, this.end);
    const look = (entries) => entries.forEach((entry) => this.look(entry));
    this.near = new IntersectionObserver(look, { root: this.element, rootMargin: "100% 0px" });
    this.near.observe(this.end);
  }

  get items() {
    return this.pages.flatMap((page) => page.items);
  }

  /// Shows the list from its beginning. What is there stays until the first page has come.
  begin() {
    this.turn += 1;
    return this.more(null);
  }

  /// Shows the page behind an item.
  async more(after) {
    const { turn } = this;
    this.isLoading = true;
    try {
      const { items, isLast } = await this.load(after);
      if (turn !== this.turn) return null;
      if (!after) this.clear();
      this.isLast = isLast;
      if (items.length) this.add(items);
      this.end.replaceChildren(this.pages.length ? "" : this.nothing());
    } catch (error) {
      if (turn !== this.turn) return null;
      // The item was forgotten elsewhere.
      if (after && error.status === 404) return this.begin();
      if (!after) this.clear();
      this.isLast = true;
      this.end.replaceChildren(failure(error));
    }
    this.isLoading = false;
    // It may still be near.
    this.near.unobserve(this.end);
    this.near.observe(this.end);
    return null;
  }

  clear() {
    for (const { element } of this.pages) {
      this.near.unobserve(element);
      element.remove();
    }
    this.pages = [];
    this.element.scrollTop = 0;
  }

  add(items) {
    const page = { items, element: h("ol", { class: "questions", start: String(this.items.length + 1) }) };
    this.pages.push(page);
    this.fill(page);
    this.end.before(page.element);
    this.near.observe(page.element);
  }

  fill({ items, element }) {
    element.style.height = "";
    element.replaceChildren(...items.map((item) => this.row(item)));
  }

  /// Leaves the room that the rows took.
  empty({ element }) {
    element.style.height = `${element.offsetHeight}px`;
    element.replaceChildren();
  }

  look({ target, isIntersecting }) {
    if (target === this.end) {
      if (isIntersecting && !this.isLast && !this.isLoading) this.more(this.items.at(-1));
      return;
    }
    const page = this.pages.find(({ element }) => element === target);
    // What is not shown at all, as the view is not, stays as it is.
    if (!page || !this.element.offsetHeight) return;
    const isFilled = Boolean(target.firstChild);
    if (isIntersecting && !isFilled) this.fill(page);
    if (!isIntersecting && isFilled && !target.contains(document.activeElement)) this.empty(page);
  }

  /// Takes out what `isGone` says of.
  remove(isGone) {
    for (const page of this.pages) {
      const left = page.items.filter((item) => !isGone(item));
      if (left.length === page.items.length) continue;
      page.items = left;
      this.fill(page);
    }
    if (!this.items.length) return this.begin();
    // The screen reader and the keyboard go on from here.
    this.element.focus({ preventScroll: true });
    return null;
  }
}
