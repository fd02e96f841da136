"""Boxes and masks drawn over a picture. Pure: bytes in, bytes out."""

from __future__ import annotations

import io
import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import numpy as np
from PIL import Image, ImageDraw

from weir_dashboard.media_points import boxes_in, class_name

# Told apart by people who see colours differently (Okabe and Ito, 2008).
_COLORS: Final = (
    (230, 159, 0), (86, 180, 233), (0, 158, 115), (240, 228, 66),
    (0, 114, 178), (213, 94, 0), (204, 121, 167), (255, 255, 255),
)  # fmt: skip
_MASK_OPACITY: Final = 0.45
_MOST_BOXES: Final = 1_000
_MOST_PIXELS: Final = 40_000_000


def drawn(
    content: bytes,
    facts: Mapping[str, Any],
    masks: Mapping[str, bytes],
    *,
    boxes: bool = True,
    least_score: float = 0.0,
) -> bytes:
    """Return a picture with its masks and boxes, as PNG.

    Args:
        content: The picture's file.
        facts: What its point says, `extra` included.
        masks: Masks to draw, by name: grey PNG of class numbers; 0 stays clear.
        boxes: Draw the boxes too.
        least_score: Boxes with a score below are left out.

    Raises:
        ValueError: One of the files is no picture, or too large.
    """
    picture = _opened(content).convert("RGB")
    for mask in masks.values():
        picture = _with_mask(picture, _opened(mask))
    if boxes:
        _draw_boxes(picture, facts, least_score)
    file = io.BytesIO()
    picture.save(file, "PNG", compress_level=1)
    return file.getvalue()


def color_of(number: Any) -> tuple[int, int, int]:
    """Return the colour of a class; without a number, of class 0."""
    return _COLORS[int(number) % len(_COLORS)] if isinstance(number, int) else _COLORS[0]


def _opened(content: bytes) -> Image.Image:
    try:
        picture = Image.open(io.BytesIO(content))
        if picture.width * picture.height > _MOST_PIXELS:
            raise ValueError(f"a picture of {picture.width} × {picture.height} pixels")
        picture.load()
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise ValueError(f"no picture: {error}") from error
    return picture


def _with_mask(picture: Image.Image, mask: Image.Image) -> Image.Image:
    numbers = np.asarray(mask.convert("L").resize(picture.size, Image.Resampling.NEAREST))
    colors = np.array(_COLORS, np.uint8)[(numbers - 1) % len(_COLORS)]
    opacity = np.where(numbers > 0, int(255 * _MASK_OPACITY), 0).astype(np.uint8)
    layer = Image.fromarray(colors, "RGB")
    return Image.composite(layer, picture, Image.fromarray(opacity, "L"))


def _draw_boxes(picture: Image.Image, facts: Mapping[str, Any], least_score: float) -> None:
    pen = ImageDraw.Draw(picture)
    width = max(1, round(max(picture.size) / 300))
    size = max(10, round(max(picture.size) / 45))
    for box, words, color in _boxes(facts, least_score):
        corners = [side * whole for side, whole in zip(box, picture.size * 2, strict=True)]
        x0, x1 = sorted((corners[0], corners[2]))
        y0, y1 = sorted((corners[1], corners[3]))
        pen.rectangle((x0, y0, x1, y1), outline=color, width=width)
        if words:
            at = (x0, max(0, y0 - size - 2))
            pen.rectangle(pen.textbbox(at, words, font_size=size), fill=color)
            pen.text(at, words, fill=(0, 0, 0), font_size=size)


def _boxes(
    facts: Mapping[str, Any], least_score: float
) -> Iterator[tuple[list[float], str, tuple[int, int, int]]]:
    """Boxes that can be drawn: corners in fractions, words, colour."""
    for box, group in boxes_in(facts)[:_MOST_BOXES]:
        corners, given = _corners(box.get("box")), box.get("score")
        score = given if isinstance(given, (int, float)) else None
        if not corners or (score is not None and score < least_score):
            continue
        number = box.get("class_id")
        words = str(box.get("caption") or "")
        if not words:
            words = class_name(number, group.get("classes"), facts.get("classes"))
            words = words if score is None else f"{words} {score:.2f}".strip()
        yield corners, words[:80], color_of(number)


def _corners(given: Any) -> list[float]:
    """Corners in fractions, never far outside of the picture; empty when these are none."""
    if not isinstance(given, list) or len(given) != 4:
        return []
    if not all(isinstance(side, (int, float)) and math.isfinite(side) for side in given):
        return []
    return [min(max(float(side), -1.0), 2.0) for side in given]


def has_scores(shown: Iterable[Mapping[str, Any]]) -> bool:
    """Whether any box of these values has a score."""
    return any("score" in box for facts in shown for box, _ in boxes_in(facts))
