"""What a page looks like, roughly: a picture small enough that fonts and words do not matter, and how far two differ.

A page is cut into 32 × 20 fields. Of each is kept how light it is and how much is in it (its spread), so a column that
has moved, a panel that is empty or a theme that is lost is seen, and a name that is longer is not.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

ACROSS, DOWN = 32, 20
KEPT = Path(__file__).parents[1] / "data" / "looks"
MOST = 0.025
"""Mean difference up to which two pictures count as the same page. No two main pages are nearer than 0.029."""


def shrink(shot: Path) -> Image.Image:
    """Return the fields of a screenshot as a picture: lightness on the left, spread on the right."""
    with Image.open(shot) as whole:
        grey = np.asarray(whole.convert("L").resize((ACROSS * 16, DOWN * 16), Image.Resampling.BOX))
    fields = grey.reshape(DOWN, 16, ACROSS, 16).astype(float)
    light, spread = fields.mean(axis=(1, 3)), np.minimum(255, 3 * fields.std(axis=(1, 3)))
    return Image.fromarray(np.hstack([light, spread]).round().astype(np.uint8))


def difference(one: Image.Image, other: Image.Image) -> float:
    """Return how far two such pictures differ, 0 … 1; what lies on the edge of a field may lie in the next."""
    return float(np.abs(_softened(one) - _softened(other)).mean())


def _softened(picture: Image.Image) -> np.ndarray:
    fields = np.pad(np.asarray(picture, dtype=float) / 255, 1, mode="edge")
    down, across = picture.height, picture.width
    return sum(fields[y : y + down, x : x + across] for y in range(3) for x in range(3)) / 9
