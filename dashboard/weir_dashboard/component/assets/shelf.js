// Statements that this browser remembers: the last ones asked, and those that were given a name.

const KEPT = 50;
const HISTORY = "weir.sql.history", NAMED = "weir.sql.named", DRAFT = "weir.sql.draft";

export class Shelf {
  /** `storage` as `localStorage`; one that refuses (private windows, full) makes the shelf forgetful. */
  constructor(storage) {
    this.storage = storage;
  }

  history() {
    return this.read(HISTORY, []).filter((one) => typeof one === "string");
  }

  /** Put a statement on top; the oldest fall off. */
  asked(text) {
    this.write(HISTORY, [text, ...this.history().filter((one) => one !== text)].slice(0, KEPT));
  }

  /** `[[name, text]]` by name. */
  named() {
    return Object.entries(this.read(NAMED, {})).filter(([, text]) => typeof text === "string").sort(([a], [b]) => a.localeCompare(b));
  }

  name(name, text) {
    this.write(NAMED, { ...Object.fromEntries(this.named()), [name]: text });
  }

  forget(name) {
    this.write(NAMED, Object.fromEntries(this.named().filter(([other]) => other !== name)));
  }

  draft() {
    const draft = this.read(DRAFT, "");
    return typeof draft === "string" ? draft : "";
  }

  keepDraft(text) {
    this.write(DRAFT, text);
  }

  read(key, otherwise) {
    try {
      return JSON.parse(this.storage.getItem(key)) ?? otherwise;
    } catch {
      return otherwise;
    }
  }

  write(key, value) {
    try {
      this.storage.setItem(key, JSON.stringify(value));
    } catch { /* what is not remembered is written again */ }
  }
}
