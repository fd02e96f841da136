// Colours of the canvas, read from the page's theme.

/** Read what the canvas needs; the same run colours serve light and dark. */
export function readTheme(el) {
  const css = getComputedStyle(el);
  const get = (name, fallback) => css.getPropertyValue(name).trim() || fallback;
  const background = get("--st-background-color", "#ffffff");
  const dark = luminance(background) < 0.4;
  const text = dark ? "255,255,255" : "20,24,32";
  return {
    dark, font: get("--st-font", "system-ui, sans-serif"),
    background, text: `rgb(${text})`, faded: `rgba(${text},${dark ? 0.62 : 0.6})`, grid: `rgba(${text},0.075)`, band: dark ? 0.24 : 0.18,
  };
}

function luminance(color) {
  const hex = /^#([0-9a-f]{6})/i.exec(color);
  const parts = hex ? [0, 2, 4].map((i) => parseInt(hex[1].slice(i, i + 2), 16)) : (color.match(/[\d.]+/g) ?? [255, 255, 255]).map(Number);
  return (0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]) / 255;
}
