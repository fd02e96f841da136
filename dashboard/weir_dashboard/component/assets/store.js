// Series the browser holds, and the one way it asks for more.

import { unpack } from "./packed.js";

const LONGEST_GET = 6000; // proxies commonly refuse request lines above 8 kB
const UNNAMED = '"-"'; // what is held came without an ETag: naming it would have made it late

export class AnswerError extends Error {
  constructor(message, { retryable = true } = {}) {
    super(message);
    this.retryable = retryable;
  }
}

/** Ask a route with repeated parameters: GET while it fits a request line, else POST. */
export async function ask(path, params, { signal, etag } = {}) {
  const query = new URLSearchParams(params).toString();
  const headers = etag ? { "If-None-Match": etag } : {};
  const short = query.length <= LONGEST_GET;
  const url = short ? `${path}?${query}` : path;
  const form = { method: "POST", body: query, headers: { ...headers, "Content-Type": "application/x-www-form-urlencoded" } };
  let answer;
  try {
    answer = await fetch(url, { signal, cache: "no-store", ...(short ? { headers } : form) });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new AnswerError("the dashboard does not answer");
  }
  if (answer.ok || answer.status === 304) return answer;
  const body = await answer.json().catch(() => ({ error: `the dashboard answered ${answer.status}` }));
  throw new AnswerError(body.error, { retryable: answer.status >= 500 });
}

/** Series by (metric, run), each remembering which question it answers. */
export class SeriesStore {
  constructor(api) {
    this.api = api;
    this.held = new Map(); // metric → run → {key, series}
    this.etags = new Map(); // request → ETag
    this.widths = new Map(); // metric → {every, width}
  }

  has(metric, run, key) {
    return this.held.get(metric)?.get(run)?.key === key;
  }

  /** Is anything held of it, whichever question it answers? */
  holds(metric, run) {
    return this.held.get(metric)?.has(run) ?? false;
  }

  get(metric, run) {
    return this.held.get(metric)?.get(run)?.series ?? [];
  }

  /** Fetch metrics × runs; resolves to true when something new has come. */
  async load(metrics, runs, question, signal) {
    const params = [...question.params, ...metrics.map((m) => ["metric", m]), ...runs.map((r) => [question.of ?? "run", r])];
    const request = JSON.stringify(params);
    const current = metrics.every((m) => runs.every((r) => this.has(m, r, question.key)));
    const etag = current ? this.etags.get(request) ?? UNNAMED : undefined; // held already: only news is wanted
    const answer = await ask(`${this.api}/${question.path ?? "series"}`, params, { signal, etag });
    if (answer.status === 304) return false;
    const { header, series } = unpack(await answer.arrayBuffer());
    if (this.etags.size > 64) this.etags.clear();
    const named = answer.headers.get("ETag");
    if (named) this.etags.set(request, named); else this.etags.delete(request);
    this.keep(metrics, runs, question, header, series);
    return true;
  }

  keep(metrics, runs, question, header, series) {
    for (const metric of metrics) {
      if (!this.held.has(metric)) this.held.set(metric, new Map());
      for (const run of runs) this.held.get(metric).set(run, { key: question.key, series: [] });
      const width = header.widths[metric];
      if (width) this.widths.set(metric, { ...width, width: width.width / question.unit });
    }
    for (const one of series) {
      const x = question.unit === 1 ? one.x : one.x.map((v) => v / question.unit);
      this.held.get(one.metric).get(one.run).series.push({
        ...one, x, anyBad: one.bad.some((bits) => bits !== 0), spread: one.hi.some((v, i) => v > one.lo[i]),
      });
    }
  }
}
