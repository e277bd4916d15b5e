// Numbers, days and times as people say them.

const number = new Intl.NumberFormat("en");
const dayOfYear = new Intl.DateTimeFormat("en-GB", {
  day: "numeric",
  month: "short",
  year: "numeric",
  timeZone: "UTC",
});
const moment = new Intl.DateTimeFormat("en-GB", {
  day: "numeric",
  month: "short",
  year: "numeric",
  hour: "2-digit",
  minute: "2-digit",
});
const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });

export const count = (value) => number.format(value);

/// `1 passage`, `2 passages`.
export function counted(value, one, many = `${one}s`) {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/// `2024-03-02` as `2 Mar 2024`.
export function day(date) {
  const at = date ? new Date(`${date}T00:00:00Z`) : null;
  return !at || Number.isNaN(at.getTime()) ? "" : dayOfYear.format(at);
}

/// When something happened, from milliseconds since 1970: `14:02` of today, else the day with it.
export function when(milliseconds) {
  const at = new Date(milliseconds);
  return at.toDateString() === new Date().toDateString() ? clock.format(at) : moment.format(at);
}

/// Seconds as `40 s`, `12 min` or `3 h 5 min`.
export function duration(seconds) {
  if (seconds < 1) return "less than a second";
  if (seconds < 90) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 90) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/// `640 KB`, `12.5 MB`.
export function bytes(value) {
  const units = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"];
  const power = Math.min(Math.floor(Math.log10(Math.max(value, 1)) / 3), units.length - 1);
  const style = { style: "unit", unit: units[power], unitDisplay: "short", maximumFractionDigits: power > 1 ? 1 : 0 };
  return new Intl.NumberFormat("en", style).format(value / 1000 ** power);
}

export const percent = (share) => `${Math.floor(share * 100)} %`;

/// The parts of a document's id: of what folder or archive it is, the folders in it, and the file's name.
export function pathOf(id) {
  const cut = id.lastIndexOf("/");
  return { folders: id.slice(0, cut + 1), name: id.slice(cut + 1) };
}

/// What an extension is called.
const KINDS = {
  md: "Markdown",
  markdown: "Markdown",
  htm: "HTML",
  yml: "YAML",
  rs: "Rust",
  py: "Python",
  js: "JavaScript",
  ts: "TypeScript",
  txt: "Text",
  doc: "Word",
  docx: "Word",
  odt: "Writer",
  xls: "Excel",
  xlsx: "Excel",
  ods: "Calc",
  ppt: "PowerPoint",
  pptx: "PowerPoint",
  odp: "Impress",
  eml: "Mail",
  mbox: "Mail",
  ipynb: "Notebook",
  sh: "Shell",
  rb: "Ruby",
  pl: "Perl",
  kt: "Kotlin",
  jl: "Julia",
  hs: "Haskell",
  tex: "LaTeX",
  epub: "Book",
};

export const kindName = (extension) => KINDS[extension] ?? extension.toUpperCase();
