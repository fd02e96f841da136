// The browser half, in node: addresses, packed bytes, buckets, ranges, smoothing, numbers.
// Run by test_packing.py, which passes a packed answer in WEIR_PACKED.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

const assets = new URL("../../../dashboard/weir_dashboard/component/assets/", import.meta.url);
const load = (name) => import(new URL(name, assets).href);
const { DEFAULTS, readView, writeView } = await load("view.js");
const { unpack } = await load("packed.js");
const { bucketsFor, gapLimit, nearest, padded, xExtent, yExtent } = await load("curves.js");
const { smooth } = await load("smooth.js");
const { matches, sections } = await load("sections.js");
const { duration, logTick, num, resolution, tick } = await load("format.js");
const { rowsAt } = await load("tooltip.js");
const { drawnRuns, exceptions } = await load("drawn.js");
const { UNITS, columnsFor, spans } = await load("grid.js");
const { looks, shade } = await load("look.js");
const { questionFor } = await load("question.js");
const { KEYS } = await load("keys.js");

const examples = JSON.parse(readFileSync(new URL("view_urls.json", import.meta.url)));
const plain = (view) => ({ ...view, show: [...view.show].sort(), hide: [...view.hide].sort(), colors: [...view.colors].sort() });
const all = { envelope: true, outliers: true, logY: false };
const curve = (x, y, more = {}) => ({ x, y, lo: y, hi: y, bad: x.map(() => 0), smoothed: y, gap: Infinity, ...more });

for (const { search, view, kept } of examples) {
  test(`the browser reads ?${search} as Python does`, () => {
    assert.deepEqual(plain(readView(`?${search}`)), { ...DEFAULTS, show: [], hide: [], colors: [], ...view });
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

test("log y ignores what is not positive", () => {
  const found = yExtent([curve([0, 1, 2], [-1, 0.1, 10])], [0, 2], { ...all, logY: true });
  assert.deepEqual([found.lo, found.hi], [0.1, 10]);
  assert.ok(padded(found, true)[0] > 0);
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

test("any choice of runs is exceptions to the newest, and comes back from them", () => {
  assert.deepEqual(drawnRuns(listed, view()), ["a", "b"]);
  for (const ids of [[], ["a"], ["c"], ["a", "b", "c", "d"], ["b", "d"]]) {
    assert.deepEqual(drawnRuns(listed, view(exceptions(listed, ids))), ids);
  }
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
  assert.deepEqual(asked({ window: [1000, 1100], smoothing: 10 }), { x: "step", buckets: "666", ranks: "each", lo: "970", hi: "1101" });
  assert.deepEqual(asked({ x: "relative", window: [1, 2] }), { x: "relative", buckets: "512", ranks: "each", lo: "1000000", hi: "2000000" });
});

test("no key does two things, and the page about the dashboard lists them as they are", () => {
  const keys = KEYS.flatMap((row) => row.keys);
  assert.equal(new Set(keys).size, keys.length);
  const page = readFileSync(new URL("../../../docs/dashboard.md", import.meta.url), "utf8");
  const table = page.split("## Keyboard")[1].split("## ")[0];
  const rows = KEYS.map((row) => `| ${row.keys.map((key) => `\`${key}\``).join(" ")} | ${row.does} |`);
  assert.deepEqual(table.split("\n").filter((line) => line.startsWith("| `")), rows);
});
