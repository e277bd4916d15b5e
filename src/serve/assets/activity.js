// What the service does besides, under the head of the page, and whether it is there at all.

import { listen } from "./api.js";
import { byId, h } from "./dom.js";
import { stageOf } from "./learning.js";
import { duration, percent } from "./words.js";

/// A service that restarts is gone for so long.
const PATIENCE_MS = 1500;
const GONE = "The service is gone. Start it again with “retune serve”: this page goes on by itself then.";

export function watchService() {
  const gone = byId("gone");
  let waiting = 0;
  listen("reached", (isThere) => {
    if (isThere) {
      clearTimeout(waiting);
      waiting = 0;
      gone.hidden = true;
    } else if (!waiting) {
      waiting = setTimeout(() => {
        gone.textContent = GONE;
        gone.hidden = false;
      }, PATIENCE_MS);
    }
  });
}

/// Shows what is being learnt or indexed.
export function showActivity({ learning, indexing }) {
  const element = byId("activity");
  const now = learning
    ? { text: `Learning: ${stageOf(learning)}`, share: learning.fraction, view: "learning" }
    : indexing?.total
      ? { text: indexText(indexing), share: indexing.done / indexing.total, view: "index" }
      : null;
  element.hidden = !now;
  if (!now) {
    element.replaceChildren();
    return;
  }
  if (!element.firstChild) {
    element.append(
      h("a", { "data-route": "", href: "/" }, h("span")),
      h("progress", { max: "1", "aria-hidden": "true" }),
    );
  }
  const [link, bar] = element.children;
  link.href = `/?view=${now.view}`;
  link.firstChild.textContent = now.text;
  bar.value = now.share;
}

function indexText({ stage, done, total, eta_s }) {
  const left = eta_s ? `, about ${duration(eta_s)} left` : "";
  return `${stage === "reading" ? "Reading files" : "Indexing"}: ${percent(done / total)}${left}`;
}
