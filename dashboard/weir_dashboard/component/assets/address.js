// The address bar, short where it would be long: `?v=…` stands for the keys that may be repeated hundreds of times.
//
// `held` is what the `v` of the address stands for, a query string of LONG_KEYS alone. As long as a
// view has exactly these values the address says `v`; when one changes it says them all again, until
// the dashboard has made another `v` of them. documents.py has the same list and the same limit.

export const LONG_KEYS = ["run", "show", "hide", "color", "pin", "top", "fold", "gshow", "ghide", "col", "m"];
export const LONG_ADDRESS = 1500;
const IDLE_MS = 800; // after the last change

/** The search of the address with the keys that `v` stands for put in. */
export function whole(search, held) {
  const q = new URLSearchParams(search);
  if (held && q.has("v")) for (const [key, value] of new URLSearchParams(held)) if (!new URLSearchParams(search).has(key)) q.append(key, value);
  q.delete("v");
  return q.toString();
}

/** A whole search as the address says it: with `v` where its long keys are those `v` stands for. */
export function brief(search, v, held) {
  if (!v || longPart(search) !== longPart(held)) return search;
  const q = new URLSearchParams(search);
  for (const key of LONG_KEYS) q.delete(key);
  q.set("v", v);
  return q.toString();
}

/** The long keys of a search, in one order. */
export function longPart(search) {
  const q = new URLSearchParams(search), kept = new URLSearchParams();
  for (const key of LONG_KEYS) for (const value of q.getAll(key)) kept.append(key, value);
  return kept.toString();
}

/** The address of the page for one wall: read and written whole, kept short. */
export class Address {
  constructor({ held = "", shorten = null } = {}) {
    this.shorten = shorten; // {api, project}; null = addresses stay as long as they are
    this.v = new URLSearchParams(location.search).get("v") ?? "";
    this.known = new Map([[this.v, held]]); // what every `v` stands for that this page had: back and forward lead to them
  }

  get held() {
    return this.known.get(this.v) ?? "";
  }

  read() {
    const v = new URLSearchParams(location.search).get("v") ?? "";
    if (this.known.has(v)) this.v = v;
    return whole(location.search, v === this.v ? this.held : "");
  }

  /** Replace the address by this search, and make it short once nothing has changed for a while. */
  write(search, put = (url) => history.replaceState(history.state, "", url)) {
    const said = brief(search, this.v, this.held);
    put(said ? `?${said}` : location.pathname);
    clearTimeout(this.timer);
    if (this.shorten && said.length > LONG_ADDRESS && longPart(said)) this.timer = setTimeout(() => this.make(search), IDLE_MS);
  }

  async make(search) {
    const { api, project } = this.shorten, before = location.search, page = location.pathname.slice(1);
    const body = JSON.stringify({ page, project, search: longPart(search) });
    const answer = await fetch(`${api}/view`, { method: "POST", body, headers: { "Content-Type": "application/json" } }).catch(() => null);
    if (!answer?.ok) return; // a long address works as well
    const { v } = await answer.json();
    if (location.search !== before) return; // it has gone on: its own turn comes
    this.v = v;
    this.known.set(v, longPart(search));
    history.replaceState(history.state, "", `?${brief(search, this.v, this.held)}`);
  }

  close() {
    clearTimeout(this.timer);
  }
}
