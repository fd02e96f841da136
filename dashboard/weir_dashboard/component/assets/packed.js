// The answer of /api/series: u32 header length · JSON header · pad 8 · little-endian columns. Pure.
// packing.py writes it; tests/unit/dashboard/ reads its bytes back in node.

const ARRAYS = { f64: Float64Array, f32: Float32Array, u8: Uint8Array };

/** Unpack into `{header, series: [{run, metric, rank, x, y, lo, hi, bad}]}` and what other columns there are; arrays are views, not copies. */
export function unpack(buffer) {
  const headerBytes = new DataView(buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, headerBytes)));
  const start = align(4 + headerBytes);
  const columns = {};
  for (const { name, type, offset, length } of header.columns) {
    columns[name] = new ARRAYS[type](buffer, start + offset, length);
  }
  let from = 0;
  const series = header.series.map(({ run, metric, rank, points }) => {
    const to = from + points;
    const cut = Object.entries(columns).map(([name, column]) => [name, column.subarray(from, to)]);
    const one = { run, metric, rank, ...Object.fromEntries(cut) };
    from = to;
    return one;
  });
  return { header, series };
}

function align(offset) {
  return (offset + 7) & ~7;
}
