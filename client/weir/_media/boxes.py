"""Boxes drawn over pictures, in one form whatever they came in. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from weir._media.base import Unfit

_UNNAMED: Final = "boxes"


def to_boxes(
    given: Any, width: int | None, height: int | None
) -> dict[str, dict[str, list[dict[str, Any]] | dict[str, str]]]:
    """Return groups of boxes: `{"predictions": {"boxes": [{"box": […], …}], "classes": {…}}}`.

    `box` is `[minX, minY, maxX, maxY]` in fractions of the picture; beside it `class_id`, `score`
    and `caption` where they were given.

    Raises:
        Unfit: A box is none, or is in pixels and the picture's size is not known.
    """
    groups = given if isinstance(given, Mapping) else {_UNNAMED: {"box_data": given}}
    found: dict[str, dict[str, Any]] = {}
    for name, group in groups.items():
        listed = group.get("box_data", ()) if isinstance(group, Mapping) else group
        if isinstance(listed, (str, Mapping)) or not isinstance(listed, Sequence):
            raise Unfit(f"boxes {name!r} are no list of boxes")
        found[str(name)] = {"boxes": [_box(one, width, height) for one in listed]}
        labels = group.get("class_labels") if isinstance(group, Mapping) else None
        if labels:
            found[str(name)]["classes"] = {str(key): str(word) for key, word in labels.items()}
    return found


def _box(given: Any, width: int | None, height: int | None) -> dict[str, Any]:
    if not isinstance(given, Mapping) or "position" not in given:
        raise Unfit("a box needs a position: {'position': [minX, minY, maxX, maxY], 'class_id': 1}")
    corners = _corners(given["position"])
    if given.get("domain") == "pixel":
        if not width or not height:
            raise Unfit("boxes in pixels need a picture whose size is known (install pillow)")
        corners = [side / whole for side, whole in zip(corners, [width, height] * 2, strict=True)]
    box: dict[str, Any] = {"box": [round(side, 6) for side in corners]}
    score = given.get("score", _first_score(given.get("scores")))
    caption = given.get("caption", given.get("box_caption"))
    if given.get("class_id") is not None:
        box["class_id"] = int(given["class_id"])
    if score is not None:
        box["score"] = float(score)
    if caption is not None:
        box["caption"] = str(caption)
    return box


def _first_score(scores: Any) -> Any:
    return next(iter(scores.values()), None) if isinstance(scores, Mapping) else None


def _corners(position: Any) -> list[float]:
    """A position of any form as minX, minY, maxX, maxY."""
    try:
        if not isinstance(position, Mapping):
            corners = [float(side) for side in position]
        elif "middle" in position:
            x, y = (float(side) for side in position["middle"])
            half_x, half_y = float(position["width"]) / 2, float(position["height"]) / 2
            corners = [x - half_x, y - half_y, x + half_x, y + half_y]
        else:
            corners = [float(position[side]) for side in ("minX", "minY", "maxX", "maxY")]
    except (TypeError, ValueError, KeyError) as error:
        raise Unfit(f"no position of a box: {position!r:.80}") from error
    if len(corners) != 4 or not all(abs(side) < 1e9 for side in corners):  # nor NaN
        raise Unfit(f"no position of a box: {position!r:.80}")
    return corners
