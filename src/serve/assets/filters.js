// Filters as chips: the type, the folder, the date, and how the words of the query are taken.

import { h, icon } from "./dom.js";

/// Extensions that people think of as one type.
const TYPES = [
  ["pdf", "PDF", "pdf"],
  ["text", "Text", "md,markdown,rst,org,adoc,txt"],
  ["office", "Office", "docx,doc,odt,rtf,xlsx,xls,ods,pptx,ppt,odp"],
  ["mail", "Mail", "eml,mbox,msg"],
  ["web", "Web pages", "html,htm,xhtml"],
  ["books", "Books", "epub"],
  ["tables", "Tables", "csv,tsv,xlsx,xls,ods"],
  ["code", "Code", "rs,py,js,mjs,ts,tsx,jsx,c,h,cc,cpp,hpp,go,java,kt,rb,php,sh,sql,lua,pl,swift,scala,ipynb"],
];

const DATES = [
  ["", "Any time"],
  ["7", "Past week"],
  ["31", "Past month"],
  ["366", "Past year"],
];
const MODES = [
  ["", "Words and meaning"],
  ["lexical", "Words only"],
  ["dense", "Meaning only"],
];
const seen = new Set();

/// The extensions of a type.
export const extensionsOf = (type) => TYPES.find(([name]) => name === type)?.[2] ?? (type || "");

/// Notes the types of documents that there are. Says whether some are new.
export function noteKinds(kinds) {
  const before = seen.size;
  for (const [name, , extensions] of TYPES) {
    if (kinds.some((kind) => extensions.split(",").includes(kind))) seen.add(name);
  }
  return seen.size > before;
}

/// The row of chips. `change` is called with the filters that become others.
export class Filters {
  constructor(change) {
    this.change = change;
    this.folders = [];
    this.route = {};
    this.element = h("div", { class: "chips", role: "group", "aria-label": "Filters" });
  }

  /// Shows the filters of a route.
  show(route) {
    this.route = route;
    const focused = this.element.contains(document.activeElement) ? document.activeElement.dataset.chip : null;
    const parts = [this.types(), this.folder(), this.date(), this.custom(), this.mode()];
    this.element.replaceChildren(...parts.flat().filter(Boolean));
    if (focused) this.element.querySelector(`[data-chip="${focused}"]`)?.focus();
  }

  types() {
    const shown = TYPES.filter(([name]) => seen.has(name) || name === this.route.type);
    const own = this.route.type && !TYPES.some(([name]) => name === this.route.type);
    const all = own ? [...shown, [this.route.type, this.route.type]] : shown;
    return all.map(([name, label]) => {
      const isOn = this.route.type === name;
      const toggle = () => this.change({ type: isOn ? "" : name });
      return h(
        "button",
        {
          type: "button",
          class: "chip",
          "aria-pressed": String(isOn),
          "data-chip": `type-${name}`,
          on: { click: toggle },
        },
        label,
        isOn ? icon("cross") : null,
      );
    });
  }

  folder() {
    if (this.folders.length < 2) return null;
    // Documents of the folder without a name are asked for by an empty one, which an address leaves out.
    const named = this.folders.filter((folder) => folder.name);
    const choices = [["", "All folders"], ...named.map((folder) => [folder.name, folder.name])];
    return this.choice("folder", "Folder", choices, this.route.folder);
  }

  date() {
    const { after, before } = this.route;
    const known = DATES.find(([days]) => days && after === daysAgo(Number(days)) && !before);
    const value = known ? known[0] : after || before || this.isPicking ? "custom" : "";
    const pick = (chosen) => {
      this.isPicking = chosen === "custom";
      if (this.isPicking) this.show(this.route);
      else this.change({ after: chosen ? daysAgo(Number(chosen)) : "", before: "" });
    };
    return this.choice("date", "Date", [...DATES, ["custom", "Between …"]], value, pick);
  }

  custom() {
    const { after, before } = this.route;
    const isPreset = DATES.some(([days]) => days && after === daysAgo(Number(days)) && !before);
    if (!this.isPicking && (isPreset || !(after || before))) return null;
    const input = (name, label) =>
      h(
        "label",
        { class: "chip date" },
        label,
        h("input", {
          type: "date",
          value: this.route[name],
          "data-chip": name,
          on: { change: (event) => this.change({ [name]: event.target.value }) },
        }),
      );
    return [input("after", "from"), input("before", "before")];
  }

  mode() {
    return this.choice("mode", "Search by", MODES, this.route.mode);
  }

  choice(name, label, choices, value, pick = (chosen) => this.change({ [name]: chosen })) {
    const options = choices.map(([key, text]) => h("option", { value: key, selected: key === value }, text));
    const select = h(
      "select",
      {
        "aria-label": label,
        "data-chip": name,
        on: { change: (event) => pick(event.target.value) },
      },
      options,
    );
    return h("span", { class: value ? "chip choice on" : "chip choice" }, select);
  }
}

function daysAgo(days) {
  const at = new Date(Date.now() - days * 86_400_000);
  return at.toISOString().slice(0, 10);
}
