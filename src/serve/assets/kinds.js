// How the text of a document is shown, by the extension of its file.

const CODE = new Set(
  (
    "rs py js mjs cjs ts tsx jsx c h cc cpp cxx hpp hh go java kt kts rb php sh bash zsh fish ps1 sql lua " +
    "pl pm swift scala clj ex exs erl hs ml jl r cs vb fs zig nim dart toml yaml yml json jsonl ini cfg conf css " +
    "scss xml svg cmake make mk gradle proto graphql tf nix el lisp vim diff patch"
  ).split(" "),
);

export const isCode = (kind) => CODE.has(kind);
export const isMarkdown = (kind) => kind === "md" || kind === "markdown" || kind === "mdx";
