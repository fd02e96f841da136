// The address, long and short: what `v` stands for is never lost and never wins over what the address says.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Address, LONG_KEYS, brief, longPart, whole } from "../../../dashboard/weir_dashboard/component/assets/address.js";
import { reportAddress } from "../../../dashboard/weir_dashboard/component/assets/report-of.js";

const HELD = "show=p%2Fa&show=p%2Fb&hide=p%2Fc";

test("what v stands for is put in its place", () => {
  assert.equal(whole("?q=x&v=abcdefgh", HELD), `q=x&${HELD}`);
  assert.equal(whole("?q=x", ""), "q=x");
});

test("a key of the address wins over the same key of v", () => {
  assert.deepEqual(new URLSearchParams(whole("?v=abcdefgh&hide=p%2Fz", HELD)).getAll("hide"), ["p/z"]);
});

test("without a v in the address nothing is put in", () => {
  assert.equal(whole("?q=x", HELD), "q=x");
});

test("an address whose long keys are those of v says v, another says them all", () => {
  assert.equal(brief(`q=x&${HELD}`, "abcdefgh", HELD), "q=x&v=abcdefgh");
  assert.equal(brief("q=x&show=p%2Fa", "abcdefgh", HELD), "q=x&show=p%2Fa");
  assert.equal(brief(`q=x&${HELD}`, "", ""), `q=x&${HELD}`);
});

test("short and whole are each other's inverse", () => {
  for (const search of [`q=x&${HELD}`, `s=5&${HELD}&win=1%2C2`]) {
    assert.equal(longPart(whole(brief(search, "abcdefgh", HELD), HELD)), longPart(search));
  }
});

test("the order of keys does not make another view", () => {
  assert.equal(longPart("hide=p%2Fc&show=p%2Fa&show=p%2Fb"), longPart(HELD));
  assert.ok(LONG_KEYS.includes("run"));
});

test("a chart leads to the reports with its whole view", () => {
  const q = new URL(reportAddress("a&b=c", "p<q>", "m=x&hide=p%2Fr"), "http://x").searchParams;
  assert.deepEqual([q.get("project"), q.get("metric"), q.get("add")], ["p<q>", "a&b=c", "m=x&hide=p%2Fr"]);
});

test("going back to an earlier v shows what that one stood for", async () => {
  const bar = { search: "?q=x&v=aaaaaaaa", pathname: "/workspace" };
  const many = Array.from({ length: 80 }, (_, i) => `hide=p%2Frun-number-${i}`).join("&");
  globalThis.location = bar;
  globalThis.history = { state: null, replaceState: (state, title, url) => { bar.search = url; } };
  globalThis.fetch = async () => ({ ok: true, json: async () => ({ v: "bbbbbbbb" }) });
  const address = new Address({ held: HELD, shorten: { api: "/api", project: "p" } });
  assert.equal(address.read(), `q=x&${HELD}`);
  address.write(`q=x&${many}`);
  assert.equal(bar.search, `?q=x&${many}`);
  await address.make(`q=x&${many}`);
  address.close();
  assert.equal(bar.search, "?q=x&v=bbbbbbbb");
  assert.equal(longPart(address.read()), longPart(many));
  bar.search = "?q=x&v=aaaaaaaa"; // back
  assert.equal(longPart(address.read()), longPart(HELD));
  bar.search = "?q=x"; // further back
  assert.equal(address.read(), "q=x");
});

test("an address that went on while a short one was made is left alone", async () => {
  const bar = { search: "?hide=p%2Fa", pathname: "/workspace" };
  globalThis.location = bar;
  globalThis.history = { state: null, replaceState: (state, title, url) => { bar.search = url; } };
  globalThis.fetch = async () => { bar.search = "?hide=p%2Fb"; return { ok: true, json: async () => ({ v: "bbbbbbbb" }) }; };
  await new Address({ shorten: { api: "/api", project: "p" } }).make("hide=p%2Fa");
  assert.equal(bar.search, "?hide=p%2Fb");
});
