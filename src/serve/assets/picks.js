// What is said of the documents of one answer, by opening them and by hand, and taking it back.

import { post } from "./api.js";
import { note } from "./dom.js";

/// Who comes back sooner did not find what was looked for.
const BOUNCE_MS = 4000;

/// What was said of the documents of one answer.
export class Picks {
  /// `identify` promises the id of the answer, or null if it is not in the log. `changed` is called with each document
  /// of which something else was said.
  constructor(identify, changed) {
    this.identify = identify;
    this.changed = changed;
    this.verdicts = new Map();
    this.queue = Promise.resolve();
    this.looking = null;
  }

  /// `opened`, `chosen`, `not_relevant`, or nothing.
  of(document) {
    return this.verdicts.get(document);
  }

  /// Says something of a document, or takes it back if it was said already.
  toggle(document, verdict) {
    return this.say(document, this.of(document) === verdict ? "withdrawn" : verdict);
  }

  say(document, verdict) {
    const before = this.of(document);
    this.keep(document, verdict === "withdrawn" ? undefined : verdict);
    // One after the other: the last one counts.
    this.queue = this.queue
      .then(() => this.send(document, verdict))
      .catch((error) => {
        this.keep(document, before);
        note(`This was not noted. ${error.message}`);
      });
    return this.queue;
  }

  async send(document, verdict) {
    const query_id = await this.identify();
    if (query_id) await post("judge", { query_id, document, verdict });
  }

  keep(document, verdict) {
    if (verdict) this.verdicts.set(document, verdict);
    else this.verdicts.delete(document);
    this.changed(document);
  }

  /// A document is looked at. What was said of it by hand stays.
  open(document) {
    const isFirst = !this.of(document);
    if (isFirst) this.say(document, "opened");
    this.looking = { document, since: performance.now(), isFirst };
  }

  /// The user is back from the document. Who comes back at once did not mean it.
  back() {
    const looked = this.looking;
    this.looking = null;
    if (!looked?.isFirst || this.of(looked.document) !== "opened") return;
    if (performance.now() - looked.since > BOUNCE_MS) return;
    this.say(looked.document, "withdrawn");
    note("You came back at once, so this was not counted.", "Count it", () => this.say(looked.document, "opened"));
  }
}
