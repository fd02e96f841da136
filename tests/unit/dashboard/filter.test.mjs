// What is offered while a filter is typed, in node.
import assert from "node:assert/strict";
import test from "node:test";

const assets = new URL("../../../dashboard/weir_dashboard/component/assets/", import.meta.url);
const { options, place, wanted, written } = await import(new URL("filter-words.js", assets).href);

const SPEC = {
  fields: { name: "text", state: "text", tags: "tags", created: "time", duration: "number", notes: "text" },
  states: ["running", "finished", "failed"],
  stats: ["last", "min", "max", "mean"],
};
const at = (text) => place(text, text.length, SPEC.fields);
const offered = (text, names = []) => options(at(text), names, SPEC).map((option) => option.text.trim());

test("fields of a run and the spaces of names are offered by their beginning", () => {
  assert.deepEqual(offered("na"), ["name"]);
  assert.deepEqual(offered("con"), ["config."]);
  assert.deepEqual(offered("resnet config.lr < 0.1 AND du"), ["duration"]);
});

test("a word asks for names of every kind, a space for its own", () => {
  assert.deepEqual(wanted(at("loss")), { search: "loss", spaces: ["config", "summary", "metric"] });
  assert.deepEqual(wanted(at("config.l")), { search: "l", spaces: ["config"] });
  assert.deepEqual(wanted(at("metric.val/loss@mi")), { search: "val/loss", spaces: ["metric"] });
  assert.equal(wanted(at("config.lr < ")), null);
});

test("names come under the space that was typed, in quotes where they need them", () => {
  const names = [{ space: "metric", name: "val/loss" }, { space: "metric", name: "a b" }];
  assert.deepEqual(offered("loss", names), ["metric.val/loss", 'metric."a b"']);
  assert.deepEqual(offered("metrics.lo", names), ["metrics.val/loss", 'metrics."a b"']);
  assert.equal(written("config", 'a"b\\'), 'config."a\\"b\\\\"');
});

test("behind the @ of a metric stand its numbers", () => {
  assert.deepEqual(offered("metric.val/loss@m", [{ space: "metric", name: "val/loss" }]).slice(0, 3), ["metric.val/loss@min", "metric.val/loss@max", "metric.val/loss@mean"]);
});

test("behind a field stand the operators of its kind", () => {
  assert.ok(offered("config.lr ").includes("<"));
  assert.ok(offered("name ").includes("ILIKE"));
  assert.ok(!offered("name ").includes("<"));
  assert.ok(offered('metric."a b@min" ').includes("BETWEEN"));
  assert.deepEqual(offered("resnet "), []);
});

test("states are values, and conditions are joined", () => {
  assert.deepEqual(offered("state = 'r"), ["'running'"]);
  assert.deepEqual(offered("state IN ('running', 'f"), ["'finished'", "'failed'"]);
  assert.deepEqual(offered("config.lr < 0.1 "), ["AND", "OR"]);
});

test("inside quotes, behind numbers and in an empty field nothing is offered", () => {
  for (const text of ["", "name = 'na", "config.lr < 0.1", "'", '"', "config.lr < na.", "((("]) assert.deepEqual(offered(text), [], text);
});

test("what is chosen takes the place of what was typed", () => {
  for (const [text, from] of [["config.l", 0], ["x AND config.l", 6], ["state = 'r", 8], ['config."a b', 0]]) assert.equal(at(text).from, from, text);
});
