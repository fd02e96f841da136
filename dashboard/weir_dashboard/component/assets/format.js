// Numbers as people read them: four significant digits, short steps, clock-like durations. Pure.

const NUMBER_DIGITS = 4;

/** A value in a tooltip or table: `0.4213`, `1.2e-5`, `NaN`, `−∞`. */
export function num(v) {
  if (Number.isNaN(v)) return "NaN";
  if (v === Infinity) return "+∞";
  if (v === -Infinity) return "−∞";
  if (v === 0) return "0";
  const size = Math.abs(v);
  if (size < 1e-3 || size >= 1e7) return v.toExponential(3).replace(/\.?0+e/, "e").replace("e+", "e");
  if (size >= 1e4) return Math.round(v).toLocaleString("en-US");
  return String(Number(v.toPrecision(NUMBER_DIGITS)));
}

/** How far `v` is from `base`, in percent: `+3.2 %`; nothing when that says nothing. */
export function change(v, base) {
  if (!Number.isFinite(v) || !Number.isFinite(base) || base === 0) return "";
  const percent = (100 * (v - base)) / Math.abs(base), size = Math.abs(percent);
  const digits = size >= 1e5 ? num(size) : size >= 100 ? Math.round(size).toLocaleString("en-US") : String(Number(size.toPrecision(2)));
  return size < 0.005 ? "±0 %" : `${percent < 0 ? "−" : "+"}${digits} %`;
}

const SUFFIXES = [[1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"]];

/** A tick: as many decimals as the distance between ticks needs, `12.5k` for the large. */
export function tick(v, increment) {
  if (v === 0) return "0";
  const size = Math.abs(v);
  if (size < 1e-3 || (increment && increment < 1e-4)) return num(v);
  for (const [unit, suffix] of SUFFIXES) {
    if (size < unit || size < 1e4) continue;
    return trim(v / unit, increment ? increment / unit : 0) + suffix;
  }
  return trim(v, increment);
}

/** A tick of a logarithmic axis: only 1, 2 and 5 times a power of ten, so not where the axis happens to end. */
export function logTick(v) {
  if (v <= 0) return v === 0 ? "0" : `−${logTick(-v)}`.replace(/^−$/, "");
  const digit = v / 10 ** Math.floor(Math.log10(v) + 1e-9);
  return [1, 2, 5].some((round) => Math.abs(digit - round) < 1e-6) ? tick(v, 0) : "";
}

function trim(v, increment) {
  return v.toFixed(increment ? decimals(increment) : 3).replace(/(\.\d*?)0+$/, "$1").replace(/\.$/, "");
}

/** Digits after the point that tell neighbouring ticks apart: 0.25 needs two. */
function decimals(increment) {
  for (let digits = 0; digits < 6; digits++) {
    const scaled = increment * 10 ** digits;
    if (Math.abs(scaled - Math.round(scaled)) < 1e-6 * scaled) return digits;
  }
  return 6;
}

/** A time span given in seconds: `340 ms`, `12 s`, `4 min`, `2.5 h`, `3 d`. */
export function duration(s) {
  const size = Math.abs(s);
  if (size === 0) return "0 s";
  if (size < 1) return `${Number((s * 1e3).toPrecision(3))} ms`;
  if (size < 120) return `${Number(s.toPrecision(3))} s`;
  if (size < 7200) return `${Number((s / 60).toPrecision(3))} min`;
  if (size < 172800) return `${Number((s / 3600).toPrecision(3))} h`;
  return `${Number((s / 86400).toPrecision(3))} d`;
}

/** A position on the axis, for the head of the tooltip. `x` is in display units. */
export function position(x, axis, xMetric) {
  if (axis === "step") return `step ${Math.round(x).toLocaleString("en-US")}`;
  if (axis === "relative") return duration(x);
  if (axis === "time") return new Date(x * 1e3).toLocaleString();
  return `${xMetric} ${num(x)}`;
}

/** What one drawn point stands for, printed on every chart. `width` is in display units. */
export function resolution({ every, width }, axis, isLog = false) {
  if (every) return "every point";
  if (isLog) return `buckets of ${Number((100 * width).toPrecision(2))} % of ${axis === "relative" ? "time" : axis === "step" ? "step" : "x"}`;
  if (axis === "step") return `${width.toLocaleString("en-US")} steps/bucket`;
  if (axis === "metric") return `${num(width)}/bucket`;
  return `${duration(width)}/bucket`;
}
