// Groups in the browser: which are drawn, what is asked for them, bands, words. Run by test_groups.py.
import assert from "node:assert/strict";
import test from "node:test";

const assets = new URL("../../../dashboard/weir_dashboard/component/assets/", import.meta.url);
const load = (name) => import(new URL(name, assets).href);
const { drawnGroups, groupExceptions, groupLooks, groupQuestion } = await load("groups.js");
const { BANDS, bandOf, bandWords } = await load("bands.js");
const { keyLabel } = await load("group-by.js");
const { csvOfGroups } = await load("groups-csv.js");
const { pieces } = await load("ribbon.js");
const { rowsAt } = await load("tooltip.js");
const view = await load("view.js");

const list = { groups: ["a", "b", "c", "d"].map((id, i) => ({ id, label: id, color: i % 2, runs: i + 1 })), drawn: 2 };
const shown = (show = [], hide = []) => ({ groupShow: new Set(show), groupHide: new Set(hide) });
const series = { x: [0, 1, 2], y: [1, 2, NaN], lo: [0, 1, NaN], hi: [3, 9, NaN], std: [0.5, NaN, NaN], ci: [0.25, NaN, NaN], n: [4, 1, 0], odd: [0, 0, 2], bad: [0, 0, 1], rank: 0 };

test("the first groups are drawn, and what somebody added or hid", () => {
  assert.deepEqual(drawnGroups(list, shown()), ["a", "b"]);
  assert.deepEqual(drawnGroups(list, shown(["d"], ["a"])), ["b", "d"]);
  assert.deepEqual(drawnGroups(list, shown(["*"], ["c"])), ["a", "b", "d"]);
});

test("whatever is drawn comes back from the exceptions that say so", () => {
  for (const ids of [[], ["a"], ["c"], ["a", "b", "c", "d"], ["b", "d"]]) assert.deepEqual(drawnGroups(list, groupExceptions(list, ids)), ids);
});

test("groups of one colour have different dashes, whichever are drawn", () => {
  const looks = groupLooks(list.groups, ["red", "blue"]);
  assert.deepEqual(looks.get("a"), { color: "red", dash: [] });
  assert.equal(looks.get("c").color, "red");
  assert.notDeepEqual(looks.get("c").dash, looks.get("a").dash);
});

test("the question of groups names whose they are and keeps axis and window", () => {
  const question = groupQuestion({ params: [["x", "step"], ["buckets", "512"], ["ranks", "each"], ["lo", "5"]], unit: 1 }, [["project", "p"]], "tag");
  assert.deepEqual(question.params, [["project", "p"], ["g", "tag"], ["x", "step"], ["buckets", "256"], ["ranks", "mean"], ["lo", "5"]]);
  assert.deepEqual([question.path, question.of, question.unit], ["groups", "group", 1]);
  assert.equal(groupQuestion({ params: [["buckets", "128"]], unit: 1 }, [], "tag").params[1][1], "128");
});

test("a band is mean ± std, mean ± interval, or the lowest and highest point; of one run it is the line", () => {
  const edges = (kind) => { const { lo, hi } = bandOf(series, kind, 0, "twema"); return [[...lo], [...hi]]; };
  assert.deepEqual(edges("std"), [[0.5, 2, NaN], [1.5, 2, NaN]]);
  assert.deepEqual(edges("ci"), [[0.75, 2, NaN], [1.25, 2, NaN]]);
  assert.deepEqual(edges("minmax"), [[0, 1, NaN], [3, 9, NaN]]);
});

test("a smoothed band goes with the smoothed mean; the lowest and highest point stay", () => {
  const wild = { ...series, y: [1, 3, 1], std: [1, 1, 1] };
  assert.ok(bandOf(wild, "std", 100, "twema").hi[1] < 4);
  assert.equal(bandOf(wild, "minmax", 100, "twema").hi, wild.hi);
});

test("a tooltip says the band, how many of how many runs, and how many have NaN", () => {
  assert.equal(bandWords(series, 0, "std", 5, ""), "± 0.5 · n = 4 of 5 runs");
  assert.equal(bandWords(series, 0, "minmax", 4, ""), "0 – 3 · n = 4 of 4 runs");
  assert.equal(bandWords(series, 1, "ci", 1, ""), "n = 1 of 1 run");
  assert.equal(bandWords(series, 2, "std", 5, "NaN"), "n = 0 of 5 runs · 2 with NaN");
});

test("the tooltip knows which point of a curve it speaks of", () => {
  const curve = { x: [0, 10], y: [1, 2], lo: [1, 2], hi: [1, 2], bad: [0, 0], smoothed: [1, 2], gap: 100 };
  assert.equal(rowsAt([curve], 9, 0)[0].i, 1);
});

test("a ribbon is broken where nothing is finite and across gaps", () => {
  const x = [0, 1, 2, 3, 50, 51], y = [1, 1, NaN, 1, 1, 1];
  assert.deepEqual(pieces(x, y, y, 5, 0, 6), [[0, 2], [3, 4], [4, 6]]);
});

test("a CSV of groups has the group, every figure, and how many runs", () => {
  const curve = { run: "config.lr=0.1", label: "0.1", raw: series.x, x: series.x, members: 5, smoothed: series.y, whole: series, outside: 0 };
  const [head, first, , last] = csvOfGroups([curve], { metric: "loss", axis: "step" }).split("\r\n");
  assert.equal(head, "group,runs,step,loss,std,ci95,n,lowest,highest,runs_not_finite");
  assert.equal(first, "0.1,5,0,1,0.5,0.25,4,0,3,0");
  assert.equal(last, "0.1,5,2,,,,0,,,2");
});

test("the kinds of band are those of the address", () => {
  assert.deepEqual(Object.keys(BANDS), view.BANDS);
});

test("a path of config is called by its path", () => {
  assert.equal(keyLabel("config.opt.lr"), "opt.lr");
  assert.equal(keyLabel("job_type"), "job type");
});
