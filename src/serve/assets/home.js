// What the page shows before anything is asked.

import { get } from "./api.js";
import { h, isOnCluster } from "./dom.js";
import { count, counted } from "./words.js";
import { href } from "./route.js";

const RECENT = 6;
/// Of so many questions, some the same.
const LATEST = 40;
const WAYS = [
  ['"exact words"', "next to each other"],
  ["-word", "without it"],
  ["path:letters/", "only there"],
  ["ext:pdf", "only these files"],
  ["after:2024-05", "from then on"],
];

/// The first screen. `status` is null while it is not known.
export function home(status) {
  const asked = h("div", { class: "asked" });
  showRecent(asked);
  return h(
    "div",
    { class: "home" },
    summary(status),
    asked,
    h(
      "section",
      { class: "ways", "aria-labelledby": "ways" },
      h("h2", { id: "ways" }, "Ask in your own words, or say it exactly"),
      h(
        "dl",
        null,
        WAYS.map(([way, what]) => h("div", null, h("dt", null, h("code", null, way)), h("dd", null, what))),
      ),
    ),
  );
}

function summary(status) {
  if (!status) return h("p", { class: "summary" }, "…");
  if (!status.documents) {
    const where = isOnCluster ? "" : status.folders.map((folder) => folder.path).join(", ");
    const how = isOnCluster
      ? "Index documents on a machine, then copy them with “retune migrate --store”."
      : "Add a folder with “retune index FOLDER” in a terminal.";
    return h(
      "div",
      { class: "summary" },
      h("p", null, "Nothing is indexed yet."),
      h(
        "p",
        { class: "faint" },
        status.indexing
          ? "Reading has begun: documents can be found here as they are read."
          : where
            ? `The index follows ${where}. What is found there is read now, and can be searched as it comes.`
            : how,
      ),
    );
  }
  const learnt = status.log?.judgements ?? 0;
  return h(
    "p",
    { class: "summary" },
    h("b", null, count(status.documents)),
    status.documents === 1 ? " document" : " documents",
    status.folders.length > 1 ? ` in ${counted(status.folders.length, "folder")}` : "",
    ". ",
    learnt
      ? [h("b", null, count(learnt)), learnt === 1 ? " pick" : " picks", " to learn from."]
      : "What you open teaches the search.",
  );
}

async function showRecent(into) {
  try {
    const answer = await get("log", { limit: LATEST });
    const latest = [];
    for (const one of answer.queries) {
      if (one.query && !latest.includes(one.query)) latest.push(one.query);
      if (latest.length === RECENT) break;
    }
    if (!latest.length) return;
    into.replaceChildren(
      h("h2", null, "Asked lately"),
      h(
        "ul",
        null,
        latest.map((q) => h("li", null, h("a", { href: href({ q }), "data-route": "search" }, q))),
      ),
    );
  } catch {
    // The first screen does without: what is wrong is said when something is asked.
  }
}
