// Where things are on the parallel axes. Run by tests/unit/dashboard/test_compare_page.py.

import assert from "node:assert/strict";
import test from "node:test";

import { axisXs, BOTTOM, nearestLine, placeOf, pressed, TOP, yOf } from "../../../dashboard/weir_dashboard/component/assets/parallel-places.js";

const HEIGHT = 400;

test("axes stand evenly from edge to edge", () => {
  assert.deepEqual(axisXs(1000, 3, 50), [50, 500, 950]);
  assert.deepEqual(axisXs(1000, 1, 50), [500]);
  assert.deepEqual(axisXs(1000, 0, 50), []);
});

test("a place and its height are inverse, and what has no value is below the axis", () => {
  for (const place of [0, 0.25, 1]) assert.ok(Math.abs(placeOf(yOf(place, HEIGHT), HEIGHT) - place) < 1e-12);
  assert.equal(yOf(1, HEIGHT), TOP);
  assert.ok(yOf(null, HEIGHT) > yOf(0, HEIGHT));
  assert.equal(yOf(0, HEIGHT), HEIGHT - BOTTOM);
  assert.equal(placeOf(-50, HEIGHT), 1);
  assert.equal(placeOf(HEIGHT, HEIGHT), 0);
});

test("the nearest line is found between two axes, and only among those that count", () => {
  const axes = [{ places: [0, 1, 0] }, { places: [1, 0, 0] }], xs = [0, 100];
  const at = (x, place) => ({ x, y: yOf(place, HEIGHT) });
  const all = () => true;
  assert.equal(nearestLine(axes, xs, HEIGHT, at(25, 0.25), all), 0);
  assert.equal(nearestLine(axes, xs, HEIGHT, at(25, 0.75), all), 1);
  assert.equal(nearestLine(axes, xs, HEIGHT, at(99, 0.5), all), -1);
  assert.equal(nearestLine(axes, xs, HEIGHT, at(25, 0.25), (i) => i !== 0), -1);
  assert.equal(nearestLine(axes, xs, HEIGHT, at(150, 0), all), 1);
});

test("keys make a brush, move it within the axis, widen it with Shift, and take it away", () => {
  assert.deepEqual(pressed(null, "ArrowUp", false), [0.05, 1]);
  assert.deepEqual(pressed(null, "ArrowDown", false), [0, 0.95]);
  assert.deepEqual(pressed([0, 0.95], "ArrowDown", false), [0, 0.95]);
  const [low, high] = pressed([0.2, 0.4], "ArrowUp", false);
  assert.ok(Math.abs(low - 0.25) < 1e-12 && Math.abs(high - 0.45) < 1e-12);
  assert.deepEqual(pressed([0.2, 0.4], "ArrowDown", true).map((x) => Math.round(x * 100)), [20, 35]);
  assert.equal(pressed([0.2, 0.4], "Escape", false), null);
});
