// The charts of a report that was taken away as one file: everything they need lies in the file.
//
// report_html.py puts specs and packed answers into elements of JSON and this module,
// with all it imports, into one script. Nothing is fetched: the page's policy forbids it.

import { Figure } from "./figure.js";

/** Draw every figure of the page. `styles` are the texts of the style sheets. */
export function start(styles) {
  const sheets = styles.map((css) => { const sheet = new CSSStyleSheet(); sheet.replaceSync(css); return sheet; });
  for (const place of document.querySelectorAll("[data-figure]")) {
    const { spec, packed } = JSON.parse(document.getElementById(place.dataset.figure).textContent);
    const given = new Map(Object.entries(packed).map(([metric, text]) => [metric, bytesOf(text)]));
    new Figure(place.attachShadow({ mode: "open" }), sheets, spec, given);
  }
}

function bytesOf(base64) {
  const text = atob(base64), bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes.buffer;
}
