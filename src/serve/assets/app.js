// The page: its views, and the keys that work everywhere.

import { follow as followEvents, get, listen } from "./api.js";
import { showActivity, watchService } from "./activity.js";
import { help, isAsking } from "./dialogs.js";
import { byId, isOnCluster, takesKeys } from "./dom.js";
import { Documents } from "./documents.js";
import { Learning, TITLE } from "./learning.js";
import { Reader } from "./reader.js";
import { follow, go, href, routeOf } from "./route.js";
import { Search } from "./search.js";

const search = new Search((hit, view) => {
  view.settle();
  go({ ...view.shown.route, document: hit.document, passage: String(hit.passage) }, { isInside: true });
});
const reader = new Reader();
const learning = new Learning();
const documents = new Documents();

function show(route) {
  const view = route.view === "search" ? "search" : route.view;
  document.body.dataset.view = route.document ? "reader" : view;
  for (const other of [learning, documents]) other.element.hidden = true;
  search.show(route);
  if (route.view === "search" && route.document) reader.show(route, search);
  else reader.hide();
  if (view === "learning") learning.show();
  if (view === "index") documents.show();
  for (const link of document.querySelectorAll("nav.views a")) {
    // Back to the results that were there.
    if (link.dataset.route === "search") link.href = href(search.route);
    if (link.dataset.route === view) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

function key(event) {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isAsking()) return;
  if (takesKeys(event.target)) return;
  if (event.key === "/") {
    event.preventDefault();
    byId("query").focus();
    byId("query").select();
  } else if (event.key === "?") {
    event.preventDefault();
    help();
  } else if (reader.isOpen) {
    reader.act(event);
  } else if (event.key === "r" && routeOf().view === "search") {
    event.preventDefault();
    search.again();
  } else if (event.key === "Escape") {
    if (routeOf().view === "search") byId("query").focus();
    else go({ view: "search" });
  } else if (event.key === "ArrowDown" && routeOf().view === "search" && search.results.focused() < 0) {
    if (search.results.focus(0)) event.preventDefault();
  }
}

function setStatus(status) {
  if (!status) return;
  search.setStatus(status);
  learning.setStatus(status);
  documents.setStatus(status);
  showActivity(status);
}

if (isOnCluster) document.querySelector('nav a[data-route="learning"]').textContent = TITLE;
watchService();
listen("status", setStatus);
follow(show);
document.addEventListener("keydown", key);
byId("help").addEventListener("click", help);
if (!routeOf().document && routeOf().view === "search" && !matchMedia("(pointer: coarse)").matches)
  byId("query").focus();
followEvents();
get("status")
  .then(setStatus)
  .catch(() => {
    // The stream of events says it as soon as the service is there.
  });
