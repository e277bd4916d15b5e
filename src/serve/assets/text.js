// The text of a document: Markdown rendered, code with its lines numbered, all else as paragraphs. The passage that was
// found is marked.

import { h } from "./dom.js";
import { isCode, isMarkdown } from "./kinds.js";
import { blocks } from "./markdown.js";

/// The passages of a document as one element.
export function textOf(answer) {
  const { kind, passages } = answer;
  if (isMarkdown(kind)) return markdown(answer);
  return isCode(kind) ? code(passages) : prose(passages);
}

/// The lines of the passages, put together as in their file: each with its number there, and whether it is marked.
export function linesOf(passages) {
  const lines = [];
  for (const passage of passages) {
    const { line, column = 1 } = passage.place;
    const texts = passage.text.split("\n");
    const last = lines.at(-1);
    const gap = line && last?.number ? line - last.number - 1 : 1;
    if (gap < 0 && last) {
      // The passage goes on in the line on which the one before ends.
      last.text += ` ${texts.shift()}`;
    } else if (last) {
      const number = (missing) => (last.number ? last.number + missing + 1 : null);
      for (let missing = 0; missing < Math.min(gap, 2); missing += 1) {
        lines.push({ text: "", number: number(missing), marked: last.marked && passage.marked });
      }
    }
    const first = gap < 0 ? (line ?? 0) + 1 : line;
    texts.forEach((text, offset) => {
      const indent = offset === 0 && gap >= 0 ? " ".repeat(Math.min(column - 1, 80)) : "";
      lines.push({ text: indent + text, number: first ? first + offset : null, marked: passage.marked });
    });
  }
  return lines;
}

function markdown({ passages, cut, title }) {
  const lines = linesOf(passages);
  const isCut = cut.before;
  if (isCut && beginsInCode(lines)) lines.unshift({ text: "```", marked: lines[0].marked });
  const found = blocks(lines.map(({ text }) => text.replace(/\r$/, "")));
  // The title stands above the text.
  if (!isCut && found.length > 1 && found[0].element.matches("h2") && found[0].element.textContent === title)
    found.shift();
  const isMarked = ({ from, to }) => lines.slice(from, to).some(({ marked }) => marked);
  return h(
    "div",
    { class: "prose" },
    gather(found, isMarked, ({ element }) => element),
  );
}

/// Whether a part of a document begins within a block of code: whether more of its lines look like text that way.
function beginsInCode(lines) {
  const [text, code] = [[], []];
  let inside = false;
  for (const { text: line } of lines) {
    const fence = /^ {0,3}(?:```|~~~)\s*(\S*)/.exec(line);
    if (fence) inside = fence[1] ? true : !inside;
    else (inside ? code : text).push(line);
  }
  const looks = (of) => of.filter((line) => /^(?:#{1,6} |[-*] |\d+\. |\|)|[.:]$/.test(line)).length;
  return looks(code) > looks(text);
}

function code(passages) {
  const lines = linesOf(passages);
  const row = ({ text, number }) => h("span", { class: "line", "data-line": number }, `${text}\n`);
  return h(
    "pre",
    { class: "listing", tabindex: "0" },
    h(
      "code",
      null,
      gather(lines, ({ marked }) => marked, row, "span"),
    ),
  );
}

function prose(passages) {
  const parts = [];
  let place = "";
  let heading = "";
  for (const passage of passages) {
    const { label, line, column, ...named } = passage.place;
    // Pages, slides and sheets begin with their name. Lines are too many for that.
    const begins = line ? "" : label;
    if (begins && begins !== place && Object.keys(named).some((name) => name !== "row")) {
      parts.push({ element: h("p", { class: "part" }, begins) });
    }
    place = begins || place;
    const own = passage.heading.split(" > ").at(-1);
    if (own && own !== heading && !passage.text.slice(0, 400).includes(own)) {
      parts.push({ element: h("h2", null, own) });
    }
    heading = own;
    parts.push({ element: h("div", { class: "passage" }, paragraphs(passage.text)), marked: passage.marked });
  }
  return h(
    "div",
    { class: "prose verbatim" },
    gather(
      parts,
      ({ marked }) => marked,
      ({ element }) => element,
    ),
  );
}

/// The paragraphs of a text. Lines that are underlined are headings.
function paragraphs(text) {
  return text
    .trimEnd()
    .split(/\n\s*\n/)
    .flatMap((part) => {
      const elements = [];
      let rest = part;
      const underlined = /^ *([^\n]+)\n([=~^"'+*#-])\2{2,} *(?:\n|$)/;
      for (let found = underlined.exec(rest); found; found = underlined.exec(rest)) {
        elements.push(h("h2", null, found[1]));
        rest = rest.slice(found[0].length);
      }
      if (rest.trim()) elements.push(h("p", null, rest));
      return elements;
    });
}

/// Elements of the parts, those that are marked in one element together.
function gather(parts, isMarked, make, tag = "div") {
  const elements = [];
  let found = null;
  for (const part of parts) {
    if (!isMarked(part)) {
      found = null;
      elements.push(make(part));
      continue;
    }
    if (!found) {
      found = h(tag, { class: "marked", role: "group", "aria-label": "The passage that was found" });
      elements.push(found);
    }
    found.append(make(part));
  }
  return elements;
}

/// Marks the words of the query in the passage that was found, without changing the text.
export function markWords(element, words) {
  if (!CSS.highlights) return;
  CSS.highlights.delete("found");
  const within = element.querySelector(".marked");
  if (!within || !words.size) return;
  const ranges = [];
  const walker = document.createTreeWalker(within, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    for (const word of node.data.matchAll(/[\p{L}\p{N}_'’-]+/gu)) {
      const parts = [word[0], ...word[0].split(/[_'’-]/)];
      if (!parts.some((part) => part && words.has(part.toLowerCase()))) continue;
      const range = new Range();
      range.setStart(node, word.index);
      range.setEnd(node, word.index + word[0].length);
      ranges.push(range);
    }
  }
  CSS.highlights.set("found", new Highlight(...ranges));
}
