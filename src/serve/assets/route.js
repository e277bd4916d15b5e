// What the page shows, as its address says it: `/?q=…` with filters, with `document` a document of that answer;
// `/?like=…` what is like a document; `/?view=learning` and `/?view=index`.

const FILTERS = ["type", "folder", "after", "before", "mode"];
const ALL = ["view", "q", ...FILTERS, "like", "document", "passage"];
let listener = () => {};

/// The route of an address; without one the page's own.
export function routeOf(href = location.href) {
  const given = new URL(href).searchParams;
  const route = {};
  for (const name of ALL) route[name] = given.get(name) ?? "";
  if (!["learning", "index"].includes(route.view)) route.view = "search";
  return route;
}

/// The address of a route.
export function href(route) {
  const given = new URLSearchParams();
  for (const name of ALL) {
    if (route[name] && !(name === "view" && route.view === "search")) given.set(name, route[name]);
  }
  const query = given.toString();
  return query ? `/?${query}` : "/";
}

/// Goes to a route. The browser's back button returns from there.
export function go(route, state = null) {
  if (href(route) !== href(routeOf())) history.pushState(state, "", href(route));
  else history.replaceState(state, "", href(route));
  listener(routeOf());
}

/// Gives the page's place in the history another address, without showing anything.
export function rename(route, state, isNew) {
  if (isNew && href(route) !== href(routeOf())) history.pushState(state, "", href(route));
  else history.replaceState(state, "", href(route));
}

/// Shows routes with `show`, the page's own at once, and those that links and the browser's buttons lead to.
export function follow(show) {
  listener = show;
  addEventListener("popstate", () => show(routeOf()));
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[data-route]");
    const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
    if (!link || !plain || event.defaultPrevented) return;
    event.preventDefault();
    go(routeOf(link.href));
  });
  show(routeOf());
}

/// Only what decides which documents are found.
export function question(route) {
  const only = { view: "search" };
  for (const name of ["q", ...FILTERS, "like"]) only[name] = route[name] ?? "";
  if (only.like) only.passage = route.passage ?? "";
  return only;
}
