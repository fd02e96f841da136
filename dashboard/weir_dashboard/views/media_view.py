"""One media value on a page: pictures, tables, charts, sound, film, words, pages."""

from __future__ import annotations

import io
import json
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import escape
from importlib.util import find_spec
from typing import Any, Final

import pyarrow.parquet as pq
import streamlit as st

from weir_dashboard import data, media_charts, media_picture, units, words
from weir_dashboard.blobs import MOST_SHOWN_BYTES, TooLarge
from weir_dashboard.media_points import Shown, blob_in, facts_in, mapping_in, pages_of
from weir_store.errors import StoreError, UnknownObject

_ROWS: Final = 500
_ROWS_WITH_PICTURES: Final = 50
_MOST_CELL_BYTES: Final = 128 << 10
_PAGE_PX: Final = 420


@dataclass(frozen=True, slots=True)
class Look:
    """How pictures are shown.

    Attributes:
        boxes: Draw boxes.
        masks: Names of the masks to draw.
        least_score: Boxes below are left out.
        small: Thumbnails will do.
    """

    boxes: bool = True
    masks: tuple[str, ...] = ()
    least_score: float = 0.0
    small: bool = False


def show(project: str, one: Shown, key: str, look: Look) -> None:
    """Draw one value; what cannot be drawn is said in a line."""
    try:
        _DRAWERS.get(one.type, _unknown)(project, one, key, look)
    except UnknownObject:
        st.caption("the bytes have not arrived yet")
    except TooLarge:
        _offer(project, one, "too large to show")
    except StoreError as silent:
        st.caption(str(silent))
    except (ValueError, LookupError, TypeError, AttributeError, OSError) as error:
        st.caption(f"this {one.type} cannot be shown: {error}")


def _bytes(project: str, named: Any) -> bytes:
    found = blob_in(named)
    if found is None:
        raise ValueError("no bytes are named")
    if found[1] > MOST_SHOWN_BYTES:
        raise TooLarge(f"{found[1]} bytes")
    return data.ask().files.blobs.read(project, found[0])


def _offer(project: str, one: Shown, why: str) -> None:
    found = blob_in(one.facts)
    st.caption(why)
    if found is not None:
        url = data.ask().files.blobs.url(project, found[0], f"{one.type}-{found[0][:8]}")
        st.link_button(f"Download {units.size(found[1])}", url, icon=":material/download:")


def _image(project: str, one: Shown, key: str, look: Look) -> None:
    facts = {**_extra(project, one.facts), **one.facts}
    masks = mapping_in(facts, "masks")
    wanted = {name: masks[name] for name in look.masks if name in masks}
    over = wanted or (look.boxes and facts.get("boxes"))
    if over:
        content = media_picture.drawn(
            _bytes(project, facts),
            facts,
            {name: _bytes(project, mask) for name, mask in wanted.items()},
            boxes=look.boxes,
            least_score=look.least_score,
        )
    else:
        thumb = mapping_in(facts, "thumb")
        content = _bytes(project, thumb if look.small and thumb else facts)
    _picture(content, one, facts)
    if facts.get("clipped"):
        low, high = facts["clipped"]
        st.caption(f"values from {words.number(low)} to {words.number(high)} were clipped")


def _picture(content: bytes, one: Shown, facts: Mapping[str, Any]) -> None:
    if facts.get("mime") == "image/svg+xml":  # a picture, whatever it calls for when it is a page
        content = f"data:image/svg+xml;base64,{b64encode(content).decode()}"  # type: ignore[assignment]
    st.image(content, caption=_escaped(one.title) or None, alt=one.title or one.type)


def _extra(project: str, facts: Mapping[str, Any]) -> dict[str, Any]:
    if blob_in(facts.get("extra")) is None:
        return {}
    found = facts_in(_bytes(project, facts["extra"]))
    return found if isinstance(found, dict) else {}


def _figure(project: str, one: Shown, key: str, look: Look) -> None:
    mime = one.facts.get("mime")
    content = _bytes(project, one.facts)
    if mime == "application/vnd.vegalite+json":
        _vega_lite(json.loads(content), one, key)
    elif mime == "application/vnd.plotly.v1+json":
        _plotly(content, one, key)
    else:
        _picture(content, one, one.facts)


def _vega_lite(spec: dict[str, Any], one: Shown, key: str) -> None:
    if not media_charts.keeps_to_itself(spec):
        st.caption("this chart would fetch data from elsewhere, so it is not drawn")
        st.json(spec, expanded=False)
        return
    drawn = {part: spec[part] for part in spec if part != "$schema"}  # as the browser has it
    st.vega_lite_chart(spec=drawn, key=key, width="stretch")
    _caption(one)


def _plotly(content: bytes, one: Shown, key: str) -> None:
    if find_spec("plotly") is None:
        st.caption("this is a plotly chart; to see it: pip install plotly, beside the dashboard")
        st.download_button("Download JSON", content, "figure.json", key=f"{key}-json")
        return
    from plotly import io as plotly_io

    st.plotly_chart(plotly_io.from_json(content.decode(), skip_invalid=True), key=key)
    _caption(one)


def _histogram(project: str, one: Shown, key: str, look: Look) -> None:
    facts = one.facts
    st.vega_lite_chart(spec=media_charts.histogram(facts), key=key, width="stretch")
    said = [f"{facts.get('count', 0):,} values"]
    said += [
        f"{word} {words.number(facts[name])}"
        for name, word in (("mean", "mean"), ("std", "σ"), ("min", "min"), ("max", "max"))
        if isinstance(facts.get(name), (int, float))
    ]
    said += [
        f"{facts[name]:,} {word}"
        for name, word in (("nan", "NaN"), ("inf", "∞"), ("neg_inf", "−∞"))
        if facts.get(name)
    ]
    st.caption(" · ".join(said))


def _table(project: str, one: Shown, key: str, look: Look) -> None:
    table = pq.ParquetFile(io.BytesIO(_bytes(project, one.facts)))
    columns = [each for each in one.facts.get("columns") or () if isinstance(each, Mapping)]
    media = [str(each.get("name")) for each in columns if each.get("media")]
    per_page = _ROWS_WITH_PICTURES if media else _ROWS
    rows, pages = table.metadata.num_rows, pages_of(table.metadata.num_rows, per_page)
    page = 1
    if pages > 1:
        page = st.number_input(f"Page of {pages:,}", 1, pages, key=f"{key}-page", width=140)
    frame = _rows(table, (page - 1) * per_page, per_page).to_pandas()
    config = {}
    for name in media:
        frame[name] = [_cell(project, text) for text in frame[name]]
        config[name] = st.column_config.ImageColumn(name)
    st.dataframe(
        frame,
        hide_index=True,
        column_config=config,
        row_height=90 if media else None,
        key=f"{key}-t",
    )
    st.caption(f"{words.count(rows, 'row')} × {table.metadata.num_columns} columns")
    _caption(one)


def _rows(table: pq.ParquetFile, first: int, count: int) -> Any:
    """Some rows, reading only the row groups they are in."""
    before, groups = 0, []
    for number in range(table.metadata.num_row_groups):
        size = table.metadata.row_group(number).num_rows
        if before + size > first and before < first + count:
            groups.append((number, before))
        before += size
    if not groups:
        return table.read().slice(0, 0)
    found = table.read_row_groups([number for number, _ in groups])
    return found.slice(first - groups[0][1], count)


def _cell(project: str, text: Any) -> str | None:
    """A picture in a cell as an address that holds it; other media have none."""
    facts = facts_in(text)
    if not isinstance(facts, Mapping) or facts.get("type") not in ("image", "figure"):
        return None
    named = mapping_in(facts, "thumb") or facts
    found, mime = blob_in(named), str(named.get("mime", ""))
    if found is None or found[1] > _MOST_CELL_BYTES or not mime.startswith("image/"):
        return None
    try:
        content = data.ask().files.blobs.read(project, found[0])
    except (StoreError, TooLarge):
        return None
    return f"data:{mime};base64,{b64encode(content).decode()}"


def _audio(project: str, one: Shown, key: str, look: Look) -> None:
    st.audio(_bytes(project, one.facts), format=str(one.facts.get("mime", "audio/wav")))
    _caption(one)


def _video(project: str, one: Shown, key: str, look: Look) -> None:
    content, mime = _bytes(project, one.facts), str(one.facts.get("mime", "video/mp4"))
    if mime.startswith("image/"):
        _picture(content, one, one.facts)
    else:
        st.video(content, format=mime)
        _caption(one)


def _cloud(project: str, one: Shown, key: str, look: Look) -> None:
    st.vega_lite_chart(spec=media_charts.cloud(_bytes(project, one.facts)), key=key)
    st.caption(f"{one.facts.get('points', 0):,} points, from above and from the front")
    _caption(one)


def _text(project: str, one: Shown, key: str, look: Look) -> None:
    st.code(_words(project, one), language=None, wrap_lines=True, height="content")
    _caption(one)


def _markdown(project: str, one: Shown, key: str, look: Look) -> None:
    st.markdown(_words(project, one))
    _caption(one)


def _words(project: str, one: Shown) -> str:
    if isinstance(one.facts.get("text"), str):
        return str(one.facts["text"])
    return _bytes(project, one.facts).decode(errors="replace")


def _html(project: str, one: Shown, key: str, look: Look) -> None:
    page = _bytes(project, one.facts).decode(errors="replace")
    st.iframe(sandboxed(page), height=_PAGE_PX)
    _caption(one)


def sandboxed(page: str) -> str:
    """Return a page that shows another one in a frame of no origin.

    It may run scripts, but reaches neither the dashboard nor its cookies. The frame that Streamlit
    makes itself shares the dashboard's origin, hence one inside of it.
    """
    return (
        "<!doctype html><html><body style='margin:0'>"
        f'<iframe sandbox="allow-scripts" srcdoc="{escape(page)}" title="logged page" '
        f"style='border:0;width:100%;height:{_PAGE_PX - 4}px'></iframe></body></html>"
    )


def _unknown(project: str, one: Shown, key: str, look: Look) -> None:
    if blob_in(one.facts) is None:
        st.json(dict(one.facts), expanded=False)
    else:
        _offer(project, one, f"a newer Weir logged this ({one.type})")


def _caption(one: Shown) -> None:
    if one.title:
        st.caption(_escaped(one.title))


def _escaped(text: str) -> str:
    """Captions are words, not Markdown."""
    return "".join(
        f"\\{letter}" if letter in "\\`*_{}[]<>()#+-.!|~:$^" else letter for letter in text
    )


_DRAWERS: Final[Mapping[str, Callable[[str, Shown, str, Look], None]]] = {
    "image": _image,
    "figure": _figure,
    "histogram": _histogram,
    "table": _table,
    "audio": _audio,
    "video": _video,
    "pointcloud": _cloud,
    "text": _text,
    "markdown": _markdown,
    "html": _html,
}
