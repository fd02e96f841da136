// The browser half, in node: addresses, packed bytes, buckets, ranges, smoothing, numbers.
// Run by test_packing.py, which passes a packed answer in WEIR_PACKED.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

const assets = new URL("../../../dashboard/weir_dashboard/component/assets/", import.meta.url);
const load = (name) => import(new URL(name, assets).href);
const { DEFAULTS, readView, writeView } = await load("view.js");
const { unpack } = await load("packed.js");
const { bucketsFor, gapAfter, gapLimit, nearest, padded, symlogSplits, xExtent, yExtent } = await load("curves.js");
const { atPlace, logLabel, logSplits, moved, placed, windowPlaces } = await load("axis.js");
const { REACH, smooth } = await load("smooth.js");
const { matches, ordered, sections } = await load("sections.js");
const { near, stacked } = await load("stack.js");
const { csvOf, fileName, legendOf } = await load("export.js");
const { tableOf } = await load("table.js");
const { Undo } = await load("undo.js");
const { change, duration, logTick, num, resolution, tick } = await load("format.js");
const { rowsAt } = await load("tooltip.js");
const { drawnRuns, exceptions, listedRuns } = await load("drawn.js");
const { rowsOnScreen } = await load("rows.js");
const { UNITS, columnsFor, spans } = await load("grid.js");
const { looks, shade } = await load("look.js");
const { questionFor } = await load("question.js");
const { KEYS } = await load("keys.js");

const examples = JSON.parse(readFileSync(new URL("view_urls.json", import.meta.url)));
const plain = (view) => ({ ...view, ...Object.fromEntries(["show", "hide", "pins", "folded", "colors", "groupShow", "groupHide"].map((key) => [key, [...view[key]].sort()])) });
const all = { envelope: true, outliers: true, logY: false };
const curve = (x, y, more = {}) => ({ x, y, lo: y, hi: y, bad: x.map(() => 0), smoothed: y, gap: Infinity, ...more });

for (const { search, view, kept } of examples) {
  test(`the browser reads ?${search} as Python does`, () => {
    assert.deepEqual(plain(readView(`?${search}`)), { ...DEFAULTS, show: [], hide: [], pins: [], folded: [], colors: [], groupShow: [], groupHide: [], ...view });
  });
  test(`a view of ?${search} comes back from its address`, () => {
    const once = readView(`?${search}`);
    const written = writeView(`?${search}`, once);
    assert.deepEqual(plain(readView(written)), plain(once));
    for (const [key, value] of Object.entries(kept ?? {})) assert.equal(new URLSearchParams(written).get(key), value);
  });
}

test("defaults never appear in the address", () => {
  assert.equal(writeView("", readView("")), "");
});

test("a chosen colour is in the address and nonsense is not a colour", () => {
  const view = readView("color=p/r:3&color=p/s:99&color=x");
  assert.deepEqual([...view.colors], [["p/r", 3]]);
  assert.equal(new URLSearchParams(writeView("", view)).get("color"), "p/r:3");
});

test("bytes packed in Python are the same series here", () => {
  const { bytes, series, widths } = JSON.parse(readFileSync(process.env.WEIR_PACKED));
  const raw = Uint8Array.from(Buffer.from(bytes, "base64")).buffer;
  const got = unpack(raw);
  assert.deepEqual(got.header.widths, widths);
  assert.equal(got.series.length, series.length);
  got.series.forEach((one, i) => {
    assert.equal(one.run, series[i].run);
    assert.deepEqual([...one.x], series[i].x);
    assert.deepEqual([...one.bad], series[i].bad);
    assert.deepEqual([...one.y].map((v) => (Number.isNaN(v) ? null : v)), series[i].y);
  });
});

test("bucket counts are powers of two, so that resizing asks for the same again", () => {
  for (let width = 1; width < 4000; width += 37) assert.equal(Math.log2(bucketsFor(width)) % 1, 0);
  assert.equal(bucketsFor(500), bucketsFor(540));
});

test("the y range holds every point of the envelope and nothing outside the window counts", () => {
  const c = curve([0, 1, 2, 3], [1, 2, 3, 400], { lo: [0, 1, 2, 300], hi: [2, 3, 9, 500] });
  assert.deepEqual(yExtent([c], [0, 2], all), { lo: 0, hi: 9, clipped: 0 });
  assert.deepEqual(yExtent([c], [0, 2], { ...all, envelope: false }), { lo: 1, hi: 3, clipped: 0 });
});

test("without outliers the range is the middle and the rest is counted", () => {
  const y = Array.from({ length: 200 }, (_, i) => 1 + (i % 10) / 10);
  y[50] = 1e6;
  const found = yExtent([curve(y.map((_, i) => i), y)], [0, 199], { ...all, outliers: false });
  assert.ok(found.hi < 10);
  assert.equal(found.clipped, 1);
});

test("NaN buckets do not empty the axis and all-NaN has no range", () => {
  assert.deepEqual(yExtent([curve([0, 1], [NaN, 2])], [0, 1], all), { lo: 2, hi: 2, clipped: 0 });
  assert.equal(yExtent([curve([0, 1], [NaN, NaN])], [0, 1], all), null);
});

test("log y shows values at and below zero: straight near zero, logarithmic beyond", () => {
  const found = yExtent([curve([0, 1, 2, 3], [-1, 0, 0.2, 10])], [0, 3], { ...all, logY: true });
  assert.deepEqual([found.lo, found.hi, found.linear], [-1, 10, 0.1]);
  const [low, high] = padded(found, true);
  assert.ok(low < -1 && high > 10);
  assert.deepEqual(symlogSplits(low, high, 0.1, 20), [-1, -0.1, 0, 0.1, 1, 10]);
  assert.deepEqual(symlogSplits(low, high, 0.1, 20).map(logTick), ["−1", "−0.1", "0", "0.1", "1", "10"]);
});

test("log y of positive values is plainly logarithmic, and a zero among tiny ones leaves them six decades", () => {
  const found = yExtent([curve([0, 1], [0.1, 10])], [0, 1], { ...all, logY: true });
  assert.deepEqual(found, { lo: 0.1, hi: 10, clipped: 0 });
  assert.ok(padded(found, true)[0] > 0);
  assert.equal(yExtent([curve([0, 1, 2], [0, 1e-30, 1])], [0, 2], { ...all, logY: true }).linear, 1e-6);
  assert.equal(yExtent([curve([0, 1], [0, 0])], [0, 1], { ...all, logY: true }).linear, 1);
});

test("an axis of non-negative values does not dive below zero", () => {
  assert.ok(padded({ lo: 0, hi: 10 }, false)[0] > -0.5);
  assert.ok(padded({ lo: 5, hi: 5 }, false)[1] > 5);
});

test("nearest finds the nearest point at and beyond both ends", () => {
  assert.deepEqual([-9, 0, 0.4, 0.6, 9].map((v) => nearest([0, 1, 2], v)), [0, 0, 0, 1, 2]);
  assert.equal(nearest([], 1), -1);
  assert.deepEqual(xExtent([curve([], []), curve([3, 4], [0, 0])]), [3, 4]);
});

test("a sparse series has no gaps and a real gap is one", () => {
  assert.ok(gapLimit([0, 250, 500, 750], 1) > 250);
  assert.ok(gapLimit([0, 1, 2, 3, 900, 901], 1) < 897);
});

test("smoothing of a constant is that constant, and NaN stays where it was", () => {
  const out = smooth([0, 1, 2, 3], [5, 5, NaN, 5], 10);
  assert.deepEqual([...out].map((v) => (Number.isNaN(v) ? null : Math.round(v))), [5, 5, null, 5]);
  assert.equal(smooth([0], [1], 0)[0], 1);
});

const noisy = (count, by = 1) => {
  const x = Float64Array.from({ length: count }, (_, i) => i * by + (i % 7) * 0.1 * by);
  return { x, y: x.map((v, i) => Math.sin(v / 90) + 0.5 * Math.sin(i * 12.9898) + (i % 50 === 0 ? 3 : 0)) };
};
const weighed = (x, y, weight) => y.map((_, i) => {
  let sum = 0, of = 0;
  for (let j = 0; j < y.length; j++) { const w = weight(x[j] - x[i]); if (Number.isFinite(y[j])) { sum += w * y[j]; of += w; } }
  return sum / of;
});
const apart = (one, other) => Math.max(...one.map((v, i) => Math.abs(v - other[i])));
const FORMULAS = {
  twema: (tau) => (d) => (d <= 0 ? Math.exp(d / tau) : 0),
  gauss: (tau) => (d) => (Math.abs(d) < 3 * tau ? Math.exp(-(d * d) / (2 * tau * tau)) : 0),
  mean: (tau) => (d) => (Math.abs(d) <= tau / 2 ? 1 : 0),
};

for (const [kernel, formula] of Object.entries(FORMULAS)) {
  for (const tau of [0.5, 20, 300]) test(`${kernel} smoothing of τ ${tau} is its formula`, () => {
    const { x, y } = noisy(800);
    y[100] = NaN; y[200] = Infinity;
    const got = smooth(x, y, tau, kernel), want = weighed(x, y, formula(tau));
    const keep = [...y.keys()].filter((i) => Number.isFinite(y[i]));
    assert.ok(apart(keep.map((i) => got[i]), keep.map((i) => want[i])) < 4e-3);
    assert.ok(Number.isNaN(got[100]));
    assert.equal(got[200], Infinity);
  });

  test(`${kernel} smoothing is the same curve in a zoomed window, given its reach`, () => {
    const { x, y } = noisy(4000), tau = 100, [before, after] = REACH[kernel];
    const whole = smooth(x, y, tau, kernel), from = 2000, to = 2400;
    const lo = x.findIndex((v) => v >= x[from] - before * tau), hi = x.findIndex((v) => v > x[to] + after * tau);
    const part = smooth(x.subarray(lo, hi), y.subarray(lo, hi), tau, kernel);
    assert.ok(apart([...part.subarray(from - lo, to - lo)], [...whole.subarray(from, to)]) < 0.02);
  });
}

test("smoothing does not depend on how densely a line was sampled", () => {
  const at = (step) => {
    const x = Array.from({ length: 1000 / step + 1 }, (_, i) => i * step);
    const out = smooth(x, x.map((v) => Math.sin(v / 300)), 100);
    return out[out.length - 1];
  };
  assert.ok(Math.abs(at(1) - at(4)) < 0.01);
});

test("sections keep train and val first, loss first in each, and system last", () => {
  const found = sections(["system/gpu", "train/acc", "train/loss", "val/acc", "lone"]);
  assert.deepEqual(found.map((s) => s.title), ["train", "val", "", "system"]);
  assert.deepEqual(found[0].metrics, ["train/loss", "train/acc"]);
});

test("a search is words in any order or a glob", () => {
  assert.ok(matches("train/Loss", "loss train"));
  assert.ok(!matches("train/loss", "loss val"));
  assert.ok(matches("train/loss", "*/loss"));
  assert.ok(!matches("train/losses", "*/loss"));
  assert.ok(matches("a.b", "a.b*") && !matches("axb", "a.b*"));
});

test("numbers are short, exact where they can be, and never a lie about NaN", () => {
  assert.deepEqual([0.42137, 1e-5, 0, NaN, Infinity, -Infinity, 123456].map(num), ["0.4214", "1e-5", "0", "NaN", "+∞", "−∞", "123,456"]);
  assert.deepEqual([tick(0.25, 0.05), tick(2000, 500), tick(12500, 2500), tick(61.2e9, 1e9)], ["0.25", "2000", "12.5k", "61G"]);
  assert.deepEqual([1.462, 0.002, 5e4, 1e-7, 0.026].map(logTick), ["", "0.002", "50k", "1e-7", ""]);
  assert.deepEqual([duration(0.25), duration(90), duration(600), duration(9000)], ["250 ms", "90 s", "10 min", "2.5 h"]);
});

test("every chart says what one point stands for", () => {
  assert.equal(resolution({ every: true, width: 0 }, "step"), "every point");
  assert.equal(resolution({ every: false, width: 64 }, "step"), "64 steps/bucket");
  assert.equal(resolution({ every: false, width: 90 }, "relative"), "90 s/bucket");
  assert.equal(resolution({ every: false, width: 0.0158 }, "step", true), "buckets of 1.6 % of step");
});

test("the tooltip lists the nearest curve first and leaves out runs that have nothing there", () => {
  const rows = rowsAt([curve([0, 10], [1, 1]), curve([0, 10], [5, 5]), curve([0, 1], [9, 9], { gap: 2 })], 10, 4.6);
  assert.deepEqual(rows.map((row) => row.value), [5, 1]);
});

test("nearest is judged as the eye does on a logarithmic axis", () => {
  const curves = [curve([0], [100]), curve([0], [1])];
  assert.deepEqual(rowsAt(curves, 0, 30, false).map((row) => row.value), [1, 100]);
  assert.deepEqual(rowsAt(curves, 0, 30, true).map((row) => row.value), [100, 1]);
});

const listed = { runs: ["a", "b", "c", "d"].map((id, i) => ({ id, name: id, color: i, ranks: 1 })), drawn: 2, palette: ["#3280dd", "#fb4b19", "#9b467a"] };
const view = (more = {}) => ({ ...readView(""), ...more });

test("a logarithmic x axis draws places, tells x, and leaves out what has none", () => {
  const x = Float64Array.of(0, 1, 10, 100, 1e5), y = Float64Array.of(9, 1, 2, 3, 4), log = view({ logX: true });
  const series = { x, y, lo: y, hi: y, bad: y, smoothed: y };
  const seen = placed({ ...series }, log, 0.5);
  assert.deepEqual([...seen.x], [0, 1, 2, 5]);
  assert.deepEqual([[...seen.raw], [...seen.y], seen.outside], [[1, 10, 100, 1e5], [1, 2, 3, 4], 1]);
  assert.equal(seen.smoothed, seen.y);
  assert.deepEqual([...placed({ ...series }, view(), 1).x], [...x]);
  assert.equal(placed({ ...series, x: Float64Array.of(-3, -2, -1, 0, 0), gap: undefined }, log, 0).x.length, 0);
});

test("on a logarithmic axis the first steps are joined, sparse points are joined, and a real gap is not", () => {
  const log = view({ logX: true }), joined = (x, width) => {
    const y = Float64Array.from(x), seen = placed({ x: y, y, lo: y, hi: y, bad: y, smoothed: y }, log, width);
    return [...seen.x].slice(1).map((place, i) => place - seen.x[i] <= gapAfter(seen.gap, i));
  };
  const dense = [1, 2, 3, 4, 5, 6, 7, 8, ...Array.from({ length: 200 }, (_, i) => Math.round(8 * 1.05 ** (i + 1)))];
  assert.ok(joined(dense, 0.05).every(Boolean));
  assert.ok(joined([250, 500, 750, 1000, 1250, 1500], 0).every(Boolean));
  assert.deepEqual(joined([1, 2, 3, 4, 5, 6, 7, 8, 9, 500, 501], 0), [true, true, true, true, true, true, true, true, false, true]);
});

test("a zoomed window of a logarithmic axis comes back from its places, and is moved as the eye sees it", () => {
  const log = view({ logX: true, window: [10, 1000] });
  assert.deepEqual(windowPlaces(log), [1, 3]);
  assert.deepEqual(windowPlaces(log).map((place) => atPlace(place, log)), [10, 1000]);
  assert.deepEqual(moved(log, 0.5).map(Math.round), [100, 10000]);
  assert.deepEqual(moved(view({ window: [10, 20] }), 0.5), [15, 25]);
  assert.equal(windowPlaces(view({ logX: true, window: [0, 5] })), null);
});

test("a logarithmic axis has ticks for one step and for a million", () => {
  for (const [lo, hi] of [[0, 6], [0, 1], [2.3, 2.35], [-2, 14], [3, 3.9], [0, 0.3]]) {
    const splits = logSplits(lo, hi, 10);
    assert.ok(splits.length >= 2 && splits.length <= 12, `${lo} ${hi}: ${splits}`);
    assert.ok(splits.every((place) => place >= lo - 1e-6 && place <= hi + 1e-6));
    assert.equal(new Set(splits.map(logLabel)).size, splits.length);
  }
});

test("hundreds of runs are asked for with fewer buckets each, and fifty with as many as one", () => {
  assert.deepEqual([1, 50, 100, 101, 400, 1000].map((runs) => bucketsFor(512, runs)), [512, 512, 512, 256, 128, 64]);
});

test("a change against a baseline is a percentage or nothing", () => {
  assert.deepEqual([[1.1, 1], [0.5, 1], [1, 1], [3, -1], [1, 0], [NaN, 1], [25, 1]].map(([v, base]) => change(v, base)), ["+10 %", "−50 %", "±0 %", "+400 %", "", "", "+2,400 %"]);
});

test("any choice of runs is exceptions to the newest, and comes back from them", () => {
  assert.deepEqual(drawnRuns(listed, view()), ["a", "b"]);
  for (const ids of [[], ["a"], ["c"], ["a", "b", "c", "d"], ["b", "d"]]) {
    assert.deepEqual(drawnRuns(listed, view(exceptions(listed, ids, view()))), ids);
  }
});

test("a pinned run and the baseline are drawn whatever comes, and can be hidden", () => {
  assert.deepEqual(drawnRuns(listed, view({ pins: new Set(["d"]), baseline: "c" })), ["a", "b", "c", "d"]);
  const pinned = view({ pins: new Set(["d"]) });
  assert.deepEqual(drawnRuns(listed, { ...pinned, ...exceptions(listed, ["a"], pinned) }), ["a"]);
  assert.deepEqual(exceptions(listed, ["a", "b", "d"], pinned), { show: new Set(), hide: new Set() });
});

test("drawing all draws those that come later too, all but what was hidden", () => {
  const every = view({ all: true });
  assert.deepEqual(drawnRuns(listed, every), ["a", "b", "c", "d"]);
  assert.deepEqual(drawnRuns(listed, { ...every, ...exceptions(listed, ["a", "d"], every) }), ["a", "d"]);
});

test("of a long list only the rows on screen and a few around them are made", () => {
  assert.deepEqual(rowsOnScreen({ count: 1000, height: 26, top: 2600, view: 520 }), { from: 90, to: 130 });
  assert.deepEqual(rowsOnScreen({ count: 1000, height: 26, top: 0, view: 520 }), { from: 0, to: 30 });
  assert.deepEqual(rowsOnScreen({ count: 1000, height: 26, top: 26000, view: 520 }), { from: 970, to: 1000 });
  assert.deepEqual(rowsOnScreen({ count: 40, height: 26, top: 500, view: 100 }), { from: 0, to: 40 });
});

test("pinned runs and the baseline come first in the list, the others stay in their order", () => {
  const order = (more) => listedRuns(listed.runs, view(more)).map((run) => run.id);
  assert.deepEqual(order({ pins: new Set(["c"]) }), ["c", "a", "b", "d"]);
  assert.deepEqual(order({ pins: new Set(["c", "b"]), baseline: "d" }), ["d", "b", "c", "a"]);
});

test("every row of panels is full, in the order of its panels, and no wider than the columns", () => {
  for (let columns = 1; columns <= 4; columns++) for (let count = 0; count < 30; count++) {
    const widths = spans(count, columns);
    assert.equal(widths.length, count);
    assert.ok(widths.every((width) => width >= UNITS / columns));
    let filled = 0;
    for (const width of widths) { filled = (filled % UNITS) + width; assert.ok(filled <= UNITS); }
    assert.ok(count === 0 || filled === UNITS);
  }
  assert.deepEqual([columnsFor(0, 1200), columnsFor(0, 300), columnsFor(0, 9000), columnsFor(3, 300)], [2, 1, 4, 3]);
});

test("ranks of one run have colours of their own and no two ranks look the same", () => {
  const spec = { ...listed, runs: listed.runs.map((run) => ({ ...run, ranks: 12 })) };
  const ranks = Array.from({ length: 12 }, (_, rank) => ({ rank }));
  const seen = (drawn) => new Set(looks(drawn, () => ranks, spec, view({ ranks: "each" })).map(({ color, dash }) => `${color} ${dash}`));
  assert.equal(seen(["a"]).size, 12);
  assert.equal(seen(["a", "b"]).size, 24);
  assert.equal(shade("#3280dd", 0), "#3280dd");
});

test("two runs of one colour differ by dashes and a chosen colour wins", () => {
  const drawn = (colors) => looks(["a", "b"], (id) => [{ rank: 0, id }], listed, view({ colors }));
  assert.deepEqual(drawn(new Map()).map(({ color, dash }) => [color, dash.length]), [["#3280dd", 0], ["#fb4b19", 0]]);
  assert.deepEqual(drawn(new Map([["b", 0]])).map(({ color, dash }) => [color, dash.length]), [["#3280dd", 0], ["#3280dd", 2]]);
});

test("a zoomed question asks whole steps, and for the points that smoothing needs before them", () => {
  const asked = (more) => Object.fromEntries(questionFor(view(more), listed, 512).params);
  assert.deepEqual(asked({}), { x: "step", buckets: "512", ranks: "each" });
  assert.deepEqual(asked({ window: [99.5, 199.5] }), { x: "step", buckets: "512", ranks: "each", lo: "99", hi: "200" });
  assert.deepEqual(asked({ window: [1000, 1100], smoothing: 10 }), { x: "step", buckets: "768", ranks: "each", lo: "950", hi: "1101" });
  assert.deepEqual(asked({ window: [1000, 1100], smoothing: 10, kernel: "gauss" }), { x: "step", buckets: "819", ranks: "each", lo: "970", hi: "1131" });
  assert.equal(asked({ logX: true }).log, "1");
  assert.equal(asked({ logX: true, x: "time" }).log, undefined);
  assert.deepEqual(asked({ x: "relative", window: [1, 2] }), { x: "relative", buckets: "512", ranks: "each", lo: "1000000", hi: "2000000" });
});

test("no key does two things, and the page about the dashboard lists them as they are", () => {
  const keys = KEYS.flatMap((row) => row.keys);
  assert.equal(new Set(keys).size, keys.length);
  const page = readFileSync(new URL("../../../docs/dashboard.md", import.meta.url), "utf8");
  const table = page.split("## Keyboard")[1].split("## ")[0];
  const rows = KEYS.slice(0, -1).map((row) => `| ${row.keys.map((key) => `\`${key}\``).join(" ")} | ${row.does} |`);
  assert.deepEqual(table.split("\n").filter((line) => line.startsWith("| `") && !line.includes("on every page")), rows);
});

test("a change taken back comes again, and small changes of one kind are one step", () => {
  const undo = new Undo(), views = [{ n: 0 }];
  const change = (more) => { const before = views.at(-1); views.push({ ...before, ...more }); return undo.note(before, more); };
  assert.equal(change({ logY: true }), true);
  for (const smoothing of [1, 2, 5, 10]) assert.equal(change({ smoothing }), false);
  assert.equal(change({ window: [0, 1] }), false);
  assert.equal(change({ window: [0, 0.5] }), false);
  let now = views.at(-1);
  const seen = [];
  for (let before = undo.back(now); before; before = undo.back(now)) { now = before; seen.push(now); }
  assert.deepEqual(seen.map((one) => [one.logY, one.smoothing, one.window?.[1]]), [[true, 10, 1], [true, 10, undefined], [true, undefined, undefined], [undefined, undefined, undefined]]);
  assert.equal(undo.forth(now).logY, true);
});

test("what is done after taking back forgets what was taken back", () => {
  const undo = new Undo();
  undo.note({ n: 1 }, { logY: true });
  undo.back({ n: 2 });
  undo.note({ n: 1 }, { logX: true });
  assert.equal(undo.forth({ n: 3 }), null);
});

const drawnCurve = (more = {}) => ({ ...curve([0, 64], [1, 2]), raw: [0, 64], run: "team/p/r1", label: "r1", rank: 0, color: "#3280dd", dash: [], ...more });

test("CSV of a chart holds its window, says what is not finite, and no cell is a formula", () => {
  const curves = [drawnCurve({ label: '=cmd"x",y', bad: [0, 3] }), drawnCurve({ run: "p/r2", label: "r2", rank: 3, y: [NaN, 0.1], smoothed: [NaN, 0.25] })];
  assert.deepEqual(csvOf(curves, { metric: "train/loss", axis: "step" }).split("\r\n"), [
    "project,run_id,run,rank,step,train/loss,smoothed,lowest,highest,not_finite",
    'team/p,r1,"\'=cmd""x"",y",0,0,1,,1,1,', 'team/p,r1,"\'=cmd""x"",y",0,64,2,,2,2,NaN +Inf',
    "p,r2,r2,3,0,,,1,1,", "p,r2,r2,3,64,0.1,0.25,2,2,", ""]);
  assert.equal(csvOf(curves, { metric: "m", axis: "step", from: 1 }).trim().split("\r\n").length, 3);
});

test("a file is named after its metric, whatever that is called", () => {
  assert.deepEqual(["train/loss", "../../etc", "🙂", "a".repeat(500)].map((name) => fileName(name, "csv").length < 90 && fileName(name, "csv")), ["train-loss.csv", "etc.csv", "chart.csv", `${"a".repeat(80)}.csv`]);
});

test("a table has a row for every x, a column for every curve, and says what it leaves out", () => {
  const other = drawnCurve({ label: "r2", x: [64, 128], raw: [64, 128], bad: [1, 0], smoothed: [NaN, 4], lo: [3, 3], hi: [3, 5] });
  const found = tableOf([drawnCurve(), other], { most: 2 });
  assert.deepEqual(found.heads, ["r1", "r2"]);
  assert.deepEqual(found.rows, [{ x: 0, cells: ["1", ""] }, { x: 64, cells: ["2", "NaN"] }]);
  assert.equal(found.more, 1);
  assert.deepEqual(tableOf([drawnCurve(), other], { from: 100 }).rows, [{ x: 128, cells: ["", "4 (3 – 5)"] }]);
});

test("ranks that look alike are one line of the legend", () => {
  assert.deepEqual(legendOf([drawnCurve(), drawnCurve({ rank: 1 }), drawnCurve({ run: "p/r2", label: "r2" })]).map((one) => one.label), ["r1", "r2"]);
});

test("pinned metrics come first and only once; folded sections are named by their prefix", () => {
  const found = ordered(["train/loss", "val/loss", "lone"], ["val/loss", "unlisted"]);
  assert.deepEqual(found.map(({ key, metrics }) => [key, metrics]), [["pinned", ["val/loss", "unlisted"]], ["train/", ["train/loss"]], ["/", ["lone"]]]);
});

test("where a row lies is arithmetic: nothing between the rows near the screen and the empty space is lost", () => {
  const names = (count, prefix) => Array.from({ length: count }, (_, i) => `${prefix}${i}`);
  const stack = stacked([[names(7, "a"), names(3, "b")], [[], []], [names(1000, "c"), []]], 3, false);
  assert.deepEqual(stack[0].rows.map((row) => row.metrics.length), [3, 2, 2, 3]);
  assert.equal(stack[0].height, 3 * 244 + 64);
  assert.equal(stack[2].top, 3 * 29 + stack[0].height);
  for (const at of [0, 500, 3000, 40_000, 1e6]) for (const section of stack) {
    const { rows, above, below } = near(section, at, at + 900);
    assert.equal(above + rows.reduce((sum, row) => sum + row.height, 0) + below, section.height);
    assert.ok(rows.length <= 6);
  }
});

test("the tooltip tells x itself on a logarithmic axis", () => {
  assert.deepEqual(rowsAt([drawnCurve({ x: [0, 2], raw: [1, 100] })], 2, 1).map((row) => row.x), [100]);
});
