"""What a run took, in words. Pure."""

from __future__ import annotations

import math

import pyarrow as pa

from weir_dashboard import words


def in_words(usage: pa.Table) -> list[str]:
    """Return hours, energy and idle share as Markdown; nothing when nothing was measured.

    Args:
        usage: As `SystemReader.read_usage` returns it.
    """
    if not usage.num_rows:
        return []
    frame = usage.to_pandas()
    hours = float(frame["hours"].sum())
    energy = frame["energy_wh"].dropna()
    known = frame.dropna(subset=["idle_share"])
    measured = float(known["hours"].sum())
    idle = float((known["idle_share"] * known["hours"]).sum()) / measured if measured else math.nan
    facts = [
        f"**{hours:,.2f} GPU-hours** on {words.count(len(frame), 'device')}",
        f"energy **{energy.sum() / 1_000:,.3f} kWh**" if len(energy) else "",
        "" if math.isnan(idle) else f"idle **{idle:.0%}** of the time",
    ]
    return [fact for fact in facts if fact]
