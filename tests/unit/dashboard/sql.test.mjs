// The SQL desk's browser half, in node: tokens, completions, what is remembered, the SQL of a chart.
import assert from "node:assert/strict";
import test from "node:test";

const assets = new URL("../../../dashboard/weir_dashboard/component/assets/", import.meta.url);
const load = (name) => import(new URL(name, assets).href);
const { completions, tokens } = await load("sql-words.js");
const { Shelf } = await load("shelf.js");
const { ruleAddress, sqlAddress, sqlOf } = await load("sql-of.js");

const VIEWS = [
  { name: "runs", columns: [{ name: "run_id", type: "String" }, { name: "duration_s", type: "Float64" }] },
  { name: "metrics", columns: [{ name: "step", type: "Int64" }, { name: "value", type: "Float64" }] },
];
const view = { x: "step", ranks: "mean", window: null };
const kinds = (text) => tokens(text, VIEWS).filter(([kind]) => kind);
const offered = (text) => completions(text, text.length, VIEWS).options.map((option) => option.text);

for (const text of ["", "SELECT 'it''s' -- x\nFROM runs", "/* open", "'open", "`a b`, {p:String}, 1e-3", "\"", "ünï SELECT 🙂", "'\\'' , 1"]) {
  test(`tokens put together are the text: ${JSON.stringify(text)}`, () => {
    assert.equal(tokens(text, VIEWS).map(([, part]) => part).join(""), text);
  });
}

test("keywords, views, functions, strings, numbers, parameters and remarks are told apart", () => {
  assert.deepEqual(kinds("SELECT max(step) FROM metrics WHERE a = 'x' AND b = {n:Int64} LIMIT 10 -- end").map(([kind]) => kind),
    ["keyword", "function", "keyword", "view", "keyword", "string", "keyword", "parameter", "keyword", "number", "comment"]);
});

test("columns of the views that are named are offered, behind FROM only views", () => {
  assert.deepEqual(offered("SELECT ste FROM metrics".slice(0, 10)), ["step"]);
  assert.ok(!completions("SELECT du FROM metrics", 9, VIEWS).options.some((one) => one.text === "duration_s"));
  assert.deepEqual(offered("SELECT 1 FROM me"), ["metrics"]);
  assert.deepEqual(offered("SELECT coun"), ["count(", "countIf("]);
});

test("nothing is offered inside strings and remarks, and for a single letter", () => {
  for (const text of ["SELECT 'ste", "-- ste", "/* ste", "s"]) assert.deepEqual(offered(text), []);
  assert.deepEqual(offered("SELECT 'a', ste"), ["step"]);
  assert.deepEqual(offered("/* a */ ste"), ["step"]);
});

const memory = () => ({ held: new Map(), getItem(key) { return this.held.get(key) ?? null; }, setItem(key, value) { this.held.set(key, value); } });

test("the newest statement stands first, each once, fifty at most", () => {
  const shelf = new Shelf(memory());
  for (let n = 0; n < 60; n++) shelf.asked(`SELECT ${n}`);
  shelf.asked("SELECT 30");
  assert.equal(shelf.history().length, 50);
  assert.deepEqual(shelf.history().slice(0, 2), ["SELECT 30", "SELECT 59"]);
});

test("names are kept until they are forgotten", () => {
  const storage = memory(), shelf = new Shelf(storage);
  shelf.name("b", "SELECT 2");
  shelf.name("a", "SELECT 1");
  shelf.name("__proto__", "SELECT 3");
  assert.deepEqual(new Shelf(storage).named().slice(-2), [["a", "SELECT 1"], ["b", "SELECT 2"]]);
  shelf.forget("a");
  assert.ok(!shelf.named().some(([name]) => name === "a"));
});

test("a storage that refuses, or holds nonsense, is an empty shelf", () => {
  const refusing = new Shelf({ getItem() { throw new Error("private"); }, setItem() { throw new Error("full"); } });
  refusing.asked("SELECT 1");
  assert.deepEqual(refusing.history(), []);
  assert.deepEqual(new Shelf({ getItem: () => "{broken" }).named(), []);
});

test("the SQL of a chart asks for its runs, its metric and its window", () => {
  const sql = sqlOf("train/loss", ["p/a", "p/b"], { ...view, window: [9.5, 20.5] });
  assert.match(sql, /^SELECT run_id, step, value\nFROM metrics\n/);
  assert.match(sql, /project = 'p' AND run_id IN \('a', 'b'\)\n {2}AND metric = 'train\/loss' AND step BETWEEN 10 AND 20\n/);
});

test("runs of several projects stay apart, and quotes stay quotes", () => {
  const sql = sqlOf("it's \\ odd", ["p/a", "q'r/b"], view);
  assert.match(sql, /\(project = 'p' AND run_id IN \('a'\) OR project = 'q\\'r' AND run_id IN \('b'\)\)/);
  assert.match(sql, /metric = 'it\\'s \\\\ odd'/);
});

test("buckets and ranks are put together as the chart does", () => {
  assert.match(sqlOf("m", ["p/a"], view, { width: 64 }), /intDiv\(step, 64\) \* 64 AS bucket, min\(value\) AS lowest, max\(value\) AS highest, argMax\(value, step\) AS last/);
  assert.match(sqlOf("m", ["p/a"], view, { wide: true }), /argMax\(rank, value\) AS highest_rank, avg\(value\) AS mean[\s\S]*GROUP BY project, run_id, step/);
  assert.match(sqlOf("m", ["p/a"], { ...view, ranks: "each" }, { wide: true }), /^SELECT run_id, rank, step, value/);
});

test("a long statement is packed into an address that Python reads", async () => {
  assert.match(await sqlAddress("SELECT 1"), /^\/sql\?sql=SELECT\+1$/);
  const address = await sqlAddress(`SELECT '${"ü+/".repeat(900)}'`);
  assert.ok(address.length < 300);
  process.env.WEIR_PACKED_SQL && (await import("node:fs")).writeFileSync(process.env.WEIR_PACKED_SQL, address);
});

test("a rule's name is made of what names may hold", () => {
  const query = new URLSearchParams(ruleAddress("val/acc @ 1 ü", "p").split("?")[1]);
  assert.match(query.get("name"), /^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/);
  assert.equal(query.get("with.metric"), "val/acc @ 1 ü");
});
