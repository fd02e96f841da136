// What the view was, and what was taken back. Pure.
//
// Browser history and undo are two lists: a deliberate change is an entry of both, what is done in many
// small steps (a zoom, the slider, a search) replaces the entry of the browser and is one step of undo.

const SMALL = new Set(["window", "smoothing", "metrics"]); // changed again and again until it fits
const KEPT = 100;

export class Undo {
  constructor() {
    this.done = [];
    this.undone = [];
    this.last = ""; // which parts the last change touched
  }

  /** Hear of a change from `before`; says whether it is an entry of the browser's history. */
  note(before, change) {
    const keys = Object.keys(change), touched = keys.join();
    const isSmall = keys.every((key) => SMALL.has(key));
    const goesOn = isSmall && touched === this.last && touched !== "window";
    if (!goesOn) this.done.push(before);
    if (this.done.length > KEPT) this.done.shift();
    this.undone = [];
    this.last = touched;
    return !isSmall;
  }

  /** The view before the last change; null when there was none. */
  back(now) {
    return this.take(this.done, this.undone, now);
  }

  /** The view that was taken back last. */
  forth(now) {
    return this.take(this.undone, this.done, now);
  }

  take(from, to, now) {
    if (!from.length) return null;
    to.push(now);
    this.last = "";
    return from.pop();
  }
}
