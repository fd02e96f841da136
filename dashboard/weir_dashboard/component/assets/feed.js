// What comes from the server: curves not yet held, news of those that are, new metrics.

import { SeriesStore, ask } from "./store.js";

const POLL_RUNNING_MS = 2000;
const POLL_IDLE_MS = 15000;
const TYPING_MS = 120; // between two letters
const PAGE_MS = 9500; // between two runs of the page
const METRICS_EVERY = 5; // polls
const BATCH_MS = 12; // loads asked for within this time become one request

export class Feed {
  /** `wall` says what is wanted and hears what came. */
  constructor(wall, api) {
    this.wall = wall;
    this.store = new SeriesStore(api);
    this.polls = 1;
    this.pageAt = performance.now();
    this.timer = setTimeout(() => this.poll(), POLL_RUNNING_MS);
    this.onSeen = () => { if (!document.hidden) this.hurry(); };
    document.addEventListener("visibilitychange", this.onSeen);
  }

  /** Somebody looks again: what has come meanwhile is asked for now. */
  hurry() {
    if (this.polling) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.poll(), 0);
  }

  /** Have the page run again, for runs that came since; the wall hears of them by `receive`. */
  askForRuns() {
    if (!this.wall.spec.follow || !this.askPage || performance.now() - this.pageAt < PAGE_MS) return;
    this.pageAt = performance.now();
    this.askPage();
  }

  close() {
    this.closed = true;
    document.removeEventListener("visibilitychange", this.onSeen);
    clearTimeout(this.timer);
    clearTimeout(this.batch);
    clearTimeout(this.typing);
    this.abort?.abort();
  }

  /** Ask for all that is on screen and not held; calls shortly after one another become one request. */
  load() {
    clearTimeout(this.batch);
    this.batch = setTimeout(() => this.loadMissing(), BATCH_MS);
  }

  async loadMissing() {
    if (this.wall.groups.waiting) return this.busy(true);
    const question = this.wall.question(), drawn = this.wall.drawn();
    const missing = (panel, run) => !this.store.has(panel.metric, run, question.key);
    const panels = this.wall.panels().filter((panel) => drawn.some((run) => missing(panel, run)));
    if (panels.length) await this.fetch(panels, drawn.filter((run) => panels.some((panel) => missing(panel, run))), question);
    else this.busy(false);
  }

  async fetch(panels, runs, question) {
    if (this.asking !== question.key) this.abort?.abort();
    this.asking = question.key;
    this.abort = new AbortController();
    const started = performance.now();
    this.busy(true);
    try {
      await this.store.load(panels.map((panel) => panel.metric), runs, question, this.abort.signal);
      performance.measure("weir:fetch", { start: started });
      this.heard();
      for (const panel of panels) this.wall.refresh(panel);
      this.wall.rail.render();
      if (!this.closed) this.load();
    } catch (error) {
      if (error.name === "AbortError") return;
      this.lost(error);
      for (const panel of panels) panel.say(`${error.message} `, () => this.load());
      this.busy(false);
    }
  }

  busy(on) {
    this.wall.layout.el.setAttribute("aria-busy", String(on));
  }

  isBusy() {
    return this.wall.layout.el.getAttribute("aria-busy") === "true";
  }

  // ── live ──────────────────────────────────────────────────────────────────

  async poll() {
    this.polling = true;
    if (this.wall.view.live && !document.hidden) this.askForRuns();
    if (this.wall.view.live && !document.hidden && this.wall.drawn().length && !this.isBusy()) {
      try {
        if (this.wall.groups.on) await this.wall.groups.read();
        await this.readNews();
        if (this.wall.running() && this.polls++ % METRICS_EVERY === 0) await this.readMetrics();
        this.heard();
      } catch (error) {
        this.lost(error);
      }
    }
    this.polling = false;
    if (!this.closed) this.timer = setTimeout(() => this.poll(), this.wall.running() ? POLL_RUNNING_MS : POLL_IDLE_MS);
  }

  async readNews() {
    const question = this.wall.question(), panels = this.wall.panels();
    if (!panels.length) return;
    const came = await this.store.load(panels.map((panel) => panel.metric), this.wall.drawn(), question);
    if (!came || question.key !== this.wall.question().key) return;
    const looked = new Set(this.wall.panels());
    for (const panel of panels) if (looked.has(panel)) this.wall.refresh(panel);
  }

  /** The list of metrics grows while runs are running, and is searched at the server when it is long. */
  async readMetrics() {
    const { spec, view } = this.wall;
    const search = this.hasMore() ? view.metrics : "", turn = (this.turn = (this.turn ?? 0) + 1);
    this.searched = Boolean(search);
    const answer = await ask(`${this.store.api}/metrics`, [...spec.runs.map((run) => ["run", run.id]), ["search", search]]);
    const { metrics, total } = await answer.json();
    if (turn === this.turn) this.wall.receiveMetrics(metrics, total); // else a later search is under way
  }

  /** A search the browser cannot answer alone goes to the server. */
  search() {
    clearTimeout(this.typing);
    if (this.hasMore() || this.searched) this.typing = setTimeout(() => this.readMetrics().catch((error) => this.lost(error)), TYPING_MS);
  }

  hasMore() {
    return this.wall.spec.metricsTotal > this.wall.spec.metrics.length;
  }

  // ── how it stands ─────────────────────────────────────────────────────────

  heard() {
    this.heardAt = new Date();
    this.silence = null;
    this.announce();
  }

  lost(error) {
    this.silence ??= error;
    this.announce();
  }

  announce() {
    const { toolbar, view } = this.wall;
    const at = this.heardAt?.toLocaleTimeString() ?? "";
    if (this.silence) toolbar.say("stale", `${this.silence.message}${at ? `, showing ${at}` : ""}`);
    else if (!view.live) toolbar.say("paused", "paused");
    else if (this.wall.running()) toolbar.say("live", `live ${at}`);
    else toolbar.say("done", at ? `read ${at}` : "");
  }
}
