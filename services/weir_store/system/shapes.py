"""The columns of every answer about telemetry: both readers conform to them."""

from __future__ import annotations

import pyarrow as pa

SERIES = ("metric", "node", "device")
_NAMES = {name: pa.string() for name in SERIES}

FULL = pa.schema({**_NAMES, "time_unix_us": pa.int64(), "value": pa.float64()})
THINNED = pa.schema(
    {
        **_NAMES,
        "time_unix_us": pa.int64(),
        **dict.fromkeys(("first", "last", "min", "max", "mean"), pa.float64()),
    }
)
LISTED = pa.schema(
    {
        **_NAMES,
        "samples": pa.uint64(),
        "first_unix_us": pa.int64(),
        "last_unix_us": pa.int64(),
        **dict.fromkeys(("last", "min", "max", "mean"), pa.float64()),
    }
)
