// Groups of runs: which there are, which are drawn, what is asked of the server for them.
//
// A group is drawn as a run is: it has an id, a colour, a series for each metric. All
// that matters is that its numbers come from every run of it, and from no sample.

import { BANDS, bandOf, bandWords } from "./bands.js";
import { nonFiniteWords } from "./draw.js";
import { DASHES } from "./look.js";
import { ask } from "./store.js";

const EVERY = "*"; // of the address: all groups, however many
const FEWER = 2; // buckets of a band are twice as wide as those of a run: half of what hundreds of runs cost
const FEWEST = 128;

/** Ids of the groups to draw, in order: the first `drawn` of the list, and what somebody added or hid. */
export function drawnGroups({ groups, drawn }, { groupShow, groupHide }) {
  const all = groupShow.has(EVERY);
  return groups.filter(({ id }, i) => (all || i < drawn ? !groupHide.has(id) : groupShow.has(id))).map(({ id }) => id);
}

/** The exceptions that make exactly these ids drawn, as a change of the view. */
export function groupExceptions({ groups, drawn }, ids) {
  const on = new Set(ids);
  return {
    groupShow: new Set(groups.slice(drawn).filter(({ id }) => on.has(id)).map(({ id }) => id)),
    groupHide: new Set(groups.slice(0, drawn).filter(({ id }) => !on.has(id)).map(({ id }) => id)),
  };
}

/** Colour and dash of every group, drawn or not: groups that share a colour are told apart by dashes, always the same. */
export function groupLooks(groups, palette) {
  const owners = new Map();
  return new Map(groups.map((group) => {
    const before = owners.get(group.color) ?? 0;
    owners.set(group.color, before + 1);
    return [group.id, { color: palette[group.color], dash: DASHES[before % DASHES.length] }];
  }));
}

/** The question of runs as one for groups. */
export function groupQuestion({ params, unit }, whose, key) {
  const put = { buckets: (text) => String(Math.max(FEWEST, Math.round(Number(text) / FEWER))), ranks: () => "mean" };
  const mine = [...whose, ["g", key], ...params.map(([name, text]) => [name, put[name]?.(text) ?? text])];
  return { params: mine, unit, key: JSON.stringify(mine), path: "groups", of: "group" };
}

const NOTHING = { groups: [], runs: 0, drawn: 0 };

export class Groups {
  /** `wall` gives view and spec, and draws again when the list has changed. */
  constructor(wall) {
    this.wall = wall;
    this.list = NOTHING;
    this.listed = ""; // what the list answers
  }

  get on() {
    return Boolean(this.wall.view.groupBy && this.wall.spec.grouping);
  }

  /** Are groups to be shown of which nothing is known yet? */
  get waiting() {
    return this.on && this.listed !== this.wanted();
  }

  wanted() {
    return JSON.stringify(this.params());
  }

  params() {
    const { view, spec } = this.wall;
    return [...spec.grouping.whose, ["g", view.groupBy]];
  }

  /** Read the list when it is another one that is wanted. */
  follow() {
    if (!this.waiting || this.reading === this.wanted()) return;
    this.reading = this.wanted();
    this.read().catch((error) => this.failed(error)).finally(() => { this.reading = null; });
  }

  async read() {
    const wanted = this.wanted();
    const answer = await ask(`${this.wall.feed.store.api}/groups/list`, this.params());
    const list = await answer.json();
    if (!this.on || wanted !== this.wanted()) return;
    const before = JSON.stringify([this.listed, this.list]);
    [this.listed, this.list] = [wanted, list];
    this.looks = null;
    if (before !== JSON.stringify([wanted, list])) this.wall.render();
  }

  failed(error) {
    this.wall.feed.lost(error);
    for (const panel of this.wall.panels()) panel.say(`${error.message} `, () => this.follow());
    this.wall.feed.busy(false);
  }

  // ── which ─────────────────────────────────────────────────────────────────

  shown() {
    return this.waiting ? NOTHING : this.list;
  }

  drawn() {
    return drawnGroups(this.shown(), this.wall.view);
  }

  draw(ids) {
    this.wall.set(groupExceptions(this.shown(), ids));
  }

  drawAll() {
    const few = this.list.groups.length <= this.list.drawn;
    this.wall.set({ groupShow: new Set(few ? [] : [EVERY]), groupHide: new Set() });
  }

  running() {
    const on = new Set(this.drawn());
    return this.shown().groups.some((group) => group.running && on.has(group.id));
  }

  /** Group by this, or with "" no longer. */
  by(key) {
    this.wall.focus = null;
    this.wall.set({ groupBy: key, groupShow: new Set(), groupHide: new Set() });
  }

  // ── how ───────────────────────────────────────────────────────────────────

  question(ofRuns) {
    return groupQuestion(ofRuns, this.wall.spec.grouping.whose, this.wall.view.groupBy);
  }

  look(id) {
    this.looks ??= groupLooks(this.list.groups, this.wall.spec.palette);
    return this.looks.get(id);
  }

  /** As look.js does for runs: `[{series, run, color, dash, label, members, whole, told}]`; `whole` is what the server said. */
  curves(metric, drawn) {
    const { view, feed } = this.wall, groups = new Map(this.list.groups.map((group) => [group.id, group]));
    const band = `${view.band} ${view.smoothing} ${view.kernel}`;
    return drawn.flatMap((id) => {
      const group = groups.get(id);
      return feed.store.get(metric, id).filter((series) => series.std).map((series) => {
        if (series.band !== band) Object.assign(series, { band, banded: { ...series, ...bandOf(series, view.band, view.smoothing, view.kernel), tau: NaN } });
        const told = (i) => bandWords(series, i, view.band, group.runs, nonFiniteWords(series.bad[i]));
        return { series: series.banded, run: id, label: group.label, members: group.runs, whole: series, told, ...this.look(id) };
      });
    });
  }

  /** What a line is, printed on every chart. */
  note() {
    const { view } = this.wall;
    return view.envelope ? `mean of runs, ${BANDS[view.band].words}` : "mean of runs";
  }
}
