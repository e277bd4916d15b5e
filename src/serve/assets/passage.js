// A passage of a result: the part of it that fits, with the words of the query marked.

import { h } from "./dom.js";
import { isCode, isMarkdown } from "./kinds.js";

const ROOM = 300;
const CODE_LINES = 6;
/// What is left out: signs that begin a line, lines of signs alone, emphasis, links' ends, and white space beyond one.
const SIGNS = new RegExp(
  [
    "^ {0,3}(?:#{1,6}\\s+|>\\s?|[-*+]\\s+)",
    "^\\s*[-=~^|:_*+\\s]{4,}$",
    "\\*\\*",
    "__(?=\\w)|(?<=\\w)__",
    "`+",
    "\\]\\([^)\\s]*\\)",
    "!?\\[(?=[^\\]]*\\]\\()",
    "\\s+",
  ].join("|"),
  "gm",
);

/// Ranges of Unicode scalar values as ranges of a JavaScript string.
export function inString(text, ranges) {
  const found = [];
  let scalar = 0;
  let at = 0;
  const seek = (target) => {
    while (scalar < target && at < text.length) {
      at += text.codePointAt(at) > 0xffff ? 2 : 1;
      scalar += 1;
    }
    return at;
  };
  // Ranges ascend.
  for (const [start, end] of ranges) found.push([seek(start), seek(end)]);
  return found;
}

/// Text as nodes, with the ranges of it that match marked.
export function marked(text, ranges) {
  const nodes = [];
  let at = 0;
  for (const [start, end] of ranges) {
    if (end <= at) continue;
    const from = Math.max(start, at);
    if (from > at) nodes.push(text.slice(at, from));
    nodes.push(h("mark", null, text.slice(from, end)));
    at = end;
  }
  if (at < text.length) nodes.push(text.slice(at));
  return nodes;
}

/// What a result shows of its passage.
export function excerpt(hit) {
  const ranges = inString(hit.text, hit.highlights);
  return isCode(hit.kind) ? codeExcerpt(hit.text, ranges) : proseExcerpt(hit, ranges);
}

function proseExcerpt({ text, kind, title, heading }, ranges) {
  const [whole, all] = withoutMarkup(text, ranges, isMarkdown(kind));
  const begin = behindHeadings(whole, [title, ...(heading?.split(" > ") ?? [])]);
  const plain = whole.slice(begin);
  const moved = all.map(([start, end]) => [start - begin, end - begin]).filter(([start]) => start >= 0);
  const [from, to] = bestPart(plain, moved);
  const inside = moved.filter(([start, end]) => start >= from && end <= to);
  const shifted = inside.map(([start, end]) => [start - from, end - from]);
  const lead = from > 0 ? "… " : "";
  const tail = to < plain.length ? " …" : "";
  return h("p", { class: "hit-text" }, lead, marked(plain.slice(from, to), shifted), tail);
}

/// Where the text begins behind the headings that the result shows anyway; 0 if little follows.
function behindHeadings(text, headings) {
  let at = 0;
  for (const heading of headings) {
    if (heading && text.startsWith(heading, at))
      at = text.slice(at + heading.length).search(/\S|$/) + at + heading.length;
  }
  return text.length - at > 40 ? at : 0;
}

/// The part of a text that has most of the marks, cut at words.
function bestPart(text, ranges) {
  if (text.length <= ROOM * 1.2) return [0, text.length];
  let best = 0;
  let most = -1;
  for (const [start] of ranges) {
    const words = new Set();
    for (const [from, to] of ranges) {
      if (from >= start && to <= start + ROOM - 60) words.add(text.slice(from, to).toLowerCase());
    }
    if (words.size > most) [best, most] = [start, words.size];
  }
  let from = Math.max(0, Math.min(best - 60, text.length - ROOM));
  if (from > 0) {
    // From the beginning of a sentence if one is near, else of a word.
    const near = text.slice(from, Math.max(best, from + 1));
    const sentence = near.search(/[.!?]\s+\S/);
    const space = near.search(/\s\S/);
    from += sentence >= 0 ? sentence + near.slice(sentence).search(/\s\S/) + 1 : space + 1;
  }
  let to = Math.min(text.length, from + ROOM);
  if (to < text.length) to = Math.max(text.lastIndexOf(" ", to), from + 1);
  return [from, to];
}

/// Text on one line without the signs of Markdown and reStructuredText, and the ranges in it.
function withoutMarkup(text, ranges, hasTables) {
  const dropped = [];
  for (const [sign, index] of signsOf(text, hasTables)) {
    const becomes = sign.includes("|") && !/[-=]/.test(sign) ? " · " : /\s/.test(sign) ? " " : "";
    dropped.push({ start: index, end: index + sign.length, becomes });
  }
  const map = new Uint32Array(text.length + 1);
  let plain = "";
  let at = 0;
  const copy = (to) => {
    for (; at < to; at += 1) {
      map[at] = plain.length;
      plain += text[at];
    }
  };
  for (const { start, end, becomes } of dropped) {
    copy(start);
    if (becomes && plain && !plain.endsWith(" ")) plain += becomes;
    for (; at < end; at += 1) map[at] = plain.length;
  }
  copy(text.length);
  map[text.length] = plain.length;
  return [plain, ranges.map(([start, end]) => [map[start], map[end - 1] + 1])];
}

function signsOf(text, hasTables) {
  const signs = hasTables ? new RegExp(`\\s*\\|[-|:\\s]*|${SIGNS.source}`, "gm") : SIGNS;
  return [...text.matchAll(signs)].map((sign) => [sign[0], sign.index]);
}

/// Lines of code around the first ones that match.
function codeExcerpt(text, ranges) {
  const starts = [0];
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  const lineOf = (at) => starts.findLastIndex((start) => start <= at);
  const first = ranges.length ? Math.max(0, lineOf(ranges[0][0]) - 1) : 0;
  const from = starts[first];
  const to = starts[first + CODE_LINES] ? starts[first + CODE_LINES] - 1 : text.length;
  const inside = ranges.filter(([start, end]) => start >= from && end <= to);
  return h(
    "pre",
    { class: "hit-text code" },
    h(
      "code",
      null,
      marked(
        text.slice(from, to),
        inside.map(([start, end]) => [start - from, end - from]),
      ),
    ),
  );
}
