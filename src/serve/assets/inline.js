// Markdown within a line: code, emphasis, links. HTML stays text, and a link leads to the web or nowhere.

import { h } from "./dom.js";

const SPANS = [
  // An escaped sign.
  [/^\\([!-/:-@[-`{-~])/, ([, sign]) => sign],
  // Code.
  [/^(`+)(?!`)([\s\S]*?[^`])\1(?!`)/, ([, , code]) => h("code", null, code.replace(/^ (.*[^ ].*) $/s, "$1"))],
  // A picture: what it shows is not loaded.
  [/^!\[([^\]]*)\](?:\([^)]*\)|\[[^\]]*\])/, ([, text]) => h("span", { class: "picture" }, text || "picture")],
  // A link.
  [
    /^\[((?:\\.|[^[\]\\]|\[[^[\]]*\])*)\]\(\s*<?([^\s)>]*)>?(?:\s+(?:"[^"]*"|'[^']*'))?\s*\)/,
    ([, text, to], depth) => link(to, inline(text, depth + 1)),
  ],
  [/^\[((?:\\.|[^[\]\\])+)\]\[[^\]]*\]/, ([, text], depth) => h("span", null, inline(text, depth + 1))],
  [/^<((?:https?:\/\/|mailto:)[^\s<>]+)>/, ([, to]) => link(to, [to])],
  [/^https?:\/\/[^\s<>]*[^\s<>.,:;!?"')\]*_`]/, ([to]) => link(to, [to])],
  // Emphasis.
  [/^(\*\*|__)(?=\S)([\s\S]*?\S)\1/, ([, , text], depth) => h("strong", null, inline(text, depth + 1))],
  [/^\*(?=[^\s*])([\s\S]*?[^\s*])\*(?!\*)/, ([, text], depth) => h("em", null, inline(text, depth + 1))],
  [/^_(?=[^\s_])([\s\S]*?[^\s_])_(?![\w_])/, ([, text], depth) => h("em", null, inline(text, depth + 1)), true],
  [/^~~(?=\S)([\s\S]*?\S)~~/, ([, text], depth) => h("s", null, inline(text, depth + 1))],
  // A break that is asked for.
  [/^(?: {2,}|\\)\n/, () => h("br")],
];
/// Where a span may begin.
const SIGNS = /[\\`![<*_~]|https?:\/\/| {2,}\n/g;
const DEEPEST = 6;

/// The nodes of a text.
export function inline(text, depth = 0) {
  if (depth > DEEPEST) return [text];
  const nodes = [];
  let plain = 0;
  SIGNS.lastIndex = 0;
  const signs = new RegExp(SIGNS);
  for (let sign = signs.exec(text); sign; sign = signs.exec(text)) {
    const found = span(text, sign.index, depth);
    if (!found) {
      signs.lastIndex = sign.index + 1;
      continue;
    }
    if (sign.index > plain) nodes.push(text.slice(plain, sign.index));
    nodes.push(found.node);
    plain = found.end;
    signs.lastIndex = plain;
  }
  if (plain < text.length) nodes.push(text.slice(plain));
  return nodes;
}

function span(text, at, depth) {
  // Spans are short: a text of signs alone would take the square of its length.
  const rest = text.slice(at, at + 2000);
  for (const [pattern, make, atWord] of SPANS) {
    if (atWord && /\w/.test(text[at - 1] ?? "")) continue;
    const found = pattern.exec(rest);
    if (found) return { node: make(found, depth), end: at + found[0].length };
  }
  return null;
}

function link(to, content) {
  if (!/^(?:https?:\/\/|mailto:)/i.test(to)) return h("span", { class: "inside", title: to }, content);
  return h("a", { href: to, target: "_blank", rel: "noopener noreferrer" }, content);
}
