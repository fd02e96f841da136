"""Charts as their libraries made them: matplotlib as a picture, plotly and Altair as their JSON."""

import io
import json
from typing import Any, ClassVar, Final

from weir._media.base import Blob, Encoded, Media, Snapshot, Taking, Unfit, check_size, without_none
from weir._media.pixels import thumbnail

PLOTLY: Final = "application/vnd.plotly.v1+json"
VEGA_LITE: Final = "application/vnd.vegalite+json"


class Figure(Media):
    """A chart.

    Args:
        figure: matplotlib figure (or `pyplot`, or axes): drawn as PNG when it is logged, on the
            caller's thread, because matplotlib is not thread-safe; plotly figure; Altair chart, or a
            dict that is a Vega-Lite specification.
        caption: Words beside it.
    """

    kind: ClassVar = "figure"

    def __init__(self, figure: Any, caption: str | None = None) -> None:
        self.figure, self.caption = figure, caption

    def snapshot(self, taking: Taking) -> Snapshot:
        """See `Media.snapshot`."""
        said = without_none({"caption": None if self.caption is None else str(self.caption)})
        figure = self.figure
        if hasattr(figure, "to_plotly_json"):
            return _of_json(figure.to_json(), PLOTLY, said, taking)
        if isinstance(figure, dict):
            return _of_json(json.dumps(figure, default=str), VEGA_LITE, said, taking)
        if hasattr(figure, "to_dict") and hasattr(figure, "to_json"):  # Altair
            return _of_json(figure.to_json(), VEGA_LITE, said, taking)
        content = drawn(figure)
        check_size("the figure", len(content), taking)
        return Snapshot(len(content), lambda: _encode_picture(content, said))


def drawn(figure: Any) -> bytes:
    """Draw a matplotlib figure as PNG. Raises `Unfit`."""
    if hasattr(figure, "gcf"):  # pyplot itself
        figure = figure.gcf()
    if not hasattr(figure, "savefig"):  # axes
        figure = getattr(figure, "figure", None)
    if not hasattr(figure, "savefig"):
        raise Unfit("a figure is one of matplotlib, plotly or Altair, or a Vega-Lite dict")
    file = io.BytesIO()
    figure.savefig(file, format="png", pil_kwargs={"compress_level": 1})
    return file.getvalue()


def _of_json(text: str, mime: str, said: dict[str, Any], taking: Taking) -> Snapshot:
    content = text.encode()
    check_size("the figure", len(content), taking)
    facts = {"type": Figure.kind, **said}
    return Snapshot(len(content), lambda: Encoded(facts, Blob(mime, content)))


def _encode_picture(content: bytes, said: dict[str, Any]) -> Encoded:
    width, height = (int.from_bytes(content[at : at + 4], "big") for at in (16, 20))  # IHDR
    facts = {"type": Figure.kind, "width": width, "height": height, **said}
    encoded = Encoded(facts, Blob("image/png", content))
    thumb = thumbnail(io.BytesIO(content))
    if thumb is not None:
        encoded.parts["thumb",] = thumb
    return encoded
