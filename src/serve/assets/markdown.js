// Markdown as elements. Only elements that this file names are made; HTML in a document stays text.

import { h } from "./dom.js";
import { inline } from "./inline.js";

const FENCE = /^ {0,3}(`{3,}|~{3,})\s*([^`]*)$/;
const HEADING = /^ {0,3}(#{1,6})(?:\s+(.*?))?(?:\s+#+)?\s*$/;
const RULE = /^ {0,3}([-*_])(?:\s*\1){2,}\s*$/;
const ITEM = /^( *)([-*+]|\d{1,9}[.)])(?:\s+(.*)|\s*)$/;
const QUOTE = /^ {0,3}> ?/;
const ROW_OF_DASHES = /^ {0,3}\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?\s*$/;
/// Deeper quotes and lists stay text.
const DEEPEST = 8;

/// The blocks of these lines: each an element with the lines it comes of, from `from` to before `to`.
export function blocks(lines, depth = 0) {
  const found = [];
  let at = 0;
  if (depth === 0 && lines[0] === "---") at = frontMatter(lines, found);
  while (at < lines.length) {
    if (!lines[at].trim()) {
      at += 1;
      continue;
    }
    const [element, next] = block(lines, at, depth);
    found.push({ element, from: at, to: next });
    at = next;
  }
  return found;
}

function block(lines, at, depth) {
  const line = lines[at];
  const heading = HEADING.exec(line);
  // The page's own headings are above those of the document.
  if (heading) return [h(level(heading[1].length), null, inline(heading[2] ?? "")), at + 1];
  if (RULE.test(line)) return [h("hr"), at + 1];
  if (FENCE.test(line)) return fenced(lines, at);
  if (/^(?: {4}|\t)/.test(line)) return indented(lines, at);
  if (depth < DEEPEST && QUOTE.test(line)) return quote(lines, at, depth);
  if (depth < DEEPEST && ITEM.test(line)) return list(lines, at, depth);
  if (line.includes("|") && ROW_OF_DASHES.test(lines[at + 1] ?? "")) return table(lines, at);
  return paragraph(lines, at);
}

const level = (of) => `h${Math.min(of + 1, 6)}`;

function frontMatter(lines, found) {
  const end = lines.indexOf("---", 1);
  if (end < 0 || end > 60) return 0;
  found.push({ element: h("pre", { class: "matter" }, lines.slice(1, end).join("\n")), from: 0, to: end + 1 });
  return end + 1;
}

function fenced(lines, at) {
  const [, fence, language] = FENCE.exec(lines[at]);
  const closing = new RegExp(`^ {0,3}\\${fence[0]}{${fence.length},}\\s*$`);
  let end = at + 1;
  while (end < lines.length && !closing.test(lines[end])) end += 1;
  const words = language.trim().split(/[\s,{]/)[0];
  const code = h("code", null, lines.slice(at + 1, end).join("\n"));
  return [h("pre", { tabindex: "0", "data-language": words || null }, code), Math.min(end + 1, lines.length)];
}

function indented(lines, at) {
  let end = at;
  while (end < lines.length && (/^(?: {4}|\t)/.test(lines[end]) || !lines[end].trim())) end += 1;
  while (!lines[end - 1].trim()) end -= 1;
  const code = lines.slice(at, end).map((line) => line.replace(/^(?: {4}|\t)/, ""));
  return [h("pre", { tabindex: "0" }, h("code", null, code.join("\n"))), end];
}

function quote(lines, at, depth) {
  let end = at;
  while (end < lines.length && lines[end].trim() && (QUOTE.test(lines[end]) || !begins(lines[end]))) end += 1;
  const inner = lines.slice(at, end).map((line) => line.replace(QUOTE, ""));
  return [
    h(
      "blockquote",
      null,
      blocks(inner, depth + 1).map(({ element }) => element),
    ),
    end,
  ];
}

function list(lines, at, depth) {
  const [, , first] = ITEM.exec(lines[at]);
  const ordered = /\d/.test(first);
  const items = [];
  let end = at;
  while (end < lines.length) {
    const found = ITEM.exec(lines[end]);
    if (!found || /\d/.test(found[2]) !== ordered || RULE.test(lines[end])) break;
    const [item, next] = listItem(lines, end, found, depth);
    items.push(item);
    end = next;
    // An empty line between items.
    if (!(lines[end] ?? "x").trim() && ITEM.test(lines[end + 1] ?? "")) end += 1;
  }
  const start = ordered && Number.parseInt(first, 10) !== 1 ? Number.parseInt(first, 10) : null;
  return [h(ordered ? "ol" : "ul", { start }, items), end];
}

function listItem(lines, at, [, indent, sign, rest = ""], depth) {
  const width = indent.length + sign.length + 1;
  const task = /^\[([ xX])\]\s+/.exec(rest);
  const inner = [task ? rest.slice(task[0].length) : rest];
  let end = at + 1;
  while (end < lines.length) {
    const line = lines[end];
    const deep = line.length - line.trimStart().length;
    const isInside = deep > indent.length && deep >= Math.min(width, indent.length + 2);
    if (!line.trim()) {
      // An empty line belongs to the item if what follows does.
      const next = lines[end + 1] ?? "";
      if (!next.trim() || next.length - next.trimStart().length <= indent.length) break;
    } else if (!isInside && begins(line)) {
      break;
    } else if (!isInside && !(lines[end - 1] ?? "").trim()) {
      break;
    }
    inner.push(line.slice(Math.min(deep, width)));
    end += 1;
  }
  const parts = blocks(inner, depth + 1).map(({ element }) => element);
  // A short item is a line, not a paragraph.
  const content = parts.flatMap((part, number) =>
    part.tagName === "P" && number === 0 ? [...part.childNodes] : [part],
  );
  const box = task ? h("span", { class: "task" }, task[1] === " " ? "☐ " : "☑ ") : null;
  return [h("li", null, box, content), end];
}

function table(lines, at) {
  const sides = cells(lines[at + 1]).map((dashes) =>
    dashes.endsWith(":") ? (dashes.startsWith(":") ? "middle" : "right") : null,
  );
  const row = (line, tag) =>
    h(
      "tr",
      null,
      cells(line)
        .slice(0, Math.max(sides.length, 1))
        .map((cell, number) => h(tag, { class: sides[number] }, inline(cell))),
    );
  let end = at + 2;
  while (end < lines.length && lines[end].trim() && lines[end].includes("|")) end += 1;
  return [
    h(
      "div",
      { class: "wide", tabindex: "0" },
      h(
        "table",
        null,
        h("thead", null, row(lines[at], "th")),
        h(
          "tbody",
          null,
          lines.slice(at + 2, end).map((line) => row(line, "td")),
        ),
      ),
    ),
    end,
  ];
}

function cells(line) {
  const inner = line
    .trim()
    .replace(/^\|/, "")
    .replace(/(?<!\\)\|$/, "");
  return inner.split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll("\\|", "|"));
}

/// Whether a line begins a block of its own, and so ends a paragraph.
function begins(line) {
  return HEADING.test(line) || FENCE.test(line) || RULE.test(line) || QUOTE.test(line) || ITEM.test(line);
}

function paragraph(lines, at) {
  let end = at + 1;
  while (end < lines.length && lines[end].trim()) {
    const underline = /^ {0,3}(=+|-{2,})\s*$/.exec(lines[end]);
    if (underline) {
      const text = lines.slice(at, end).join(" ").trim();
      return [h(level(underline[1][0] === "=" ? 1 : 2), null, inline(text)), end + 1];
    }
    if (begins(lines[end])) break;
    end += 1;
  }
  return [
    h(
      "p",
      null,
      inline(
        lines
          .slice(at, end)
          .map((line) => line.trimStart())
          .join("\n"),
      ),
    ),
    end,
  ];
}
