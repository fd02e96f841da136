"""Colour is a property of the run: the same on every page, in both themes, whatever is filtered.

Sixteen colours, farthest-first in OKLab with colour-blind simulation, each with
a contrast of at least 3:1 on white and on the dark background, so consecutive
runs are as different as they can be. Runs take them in order of creation.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Final

from weir_store.records import Run, RunRef

PALETTE: Final = (
    "#3280dd", "#fb4b19", "#9b467a", "#68a088", "#b13e06", "#d040b9", "#4c4ee4", "#31983d",
    "#4e6d47", "#9f6f8a", "#c978b8", "#a32ebb", "#dd7767", "#136b94", "#b264fb", "#c32855",
)  # fmt: skip

STORED = "color_index"
"""Path in a run's meta where a chosen colour is kept."""


def color_index(run: Run, ordinals: Mapping[RunRef, int]) -> int:
    """Choose the run's place in the palette.

    The stored index wins; else the run's ordinal by creation in its project;
    a run created too recently to have one takes a place from its id.
    """
    stored = run.meta.get(STORED)
    if isinstance(stored, int | float) and not isinstance(stored, bool) and stored >= 0:
        return int(stored) % len(PALETTE)
    ordinal = ordinals.get(run.ref)
    return (zlib.crc32(run.run_id.encode()) if ordinal is None else ordinal) % len(PALETTE)


def swatch(index: int) -> str:
    """Draw the colour as an image for a table cell: a data URI, so nothing is requested."""
    color = PALETTE[index % len(PALETTE)].replace("#", "%23")
    svg = (
        "<svg xmlns='http://www.w3.org/2000/svg' width='16' height='16'>"
        f"<rect x='2' y='2' width='12' height='12' rx='3.5' fill='{color}'/></svg>"
    )
    return f"data:image/svg+xml;utf8,{svg}"
