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
const { duration, num, resolution, tick } = await load("format.js");
const { rowsAt } = await load("tooltip.js");

const examples = JSON.parse(readFileSync(new URL("view_urls.json", import.meta.url)));
const plain = (view) => ({ ...view, show: [...view.show].sort(), hide: [...view.hide].sort(), colors: [...view.colors] });
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
