"""Taking a report away: what its file needs is read from the store."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Final

from weir_dashboard import data, report_html
from weir_dashboard.media_points import Shown, blob_in
from weir_dashboard.packing import pack
from weir_dashboard.report_html import Page
from weir_dashboard.report_panels import fill, series_of
from weir_store.documents.records import Document

_LARGEST_PICTURE_BYTES: Final = 4 << 20
_PICTURES: Final = frozenset(
    {"image/png", "image/jpeg", "image/gif", "image/webp", "image/svg+xml"}
)


def export(report: Document) -> Page:
    """Write a report as one file, with what the viewer may see of it now.

    Raises:
        StoreUnavailable: The store is silent about the report itself; a silent panel says so in the file.
    """
    return report_html.page(report, fill, _series, _picture, time.time())


def _series(figure: Mapping[str, Any], metric: str) -> bytes:
    query = series_of(figure, metric)
    return pack(data.ask().series(query), query.x)


def _picture(project: str, one: Shown) -> tuple[str, bytes] | None:
    found, kind = blob_in(one.facts), str(one.facts.get("mime", "image/png"))
    if one.type != "image" or found is None or kind not in _PICTURES:
        return None
    if found[1] > _LARGEST_PICTURE_BYTES:
        return None
    return kind, data.ask().files.blobs.read(project, found[0])
