"""Media of a run as the api reads them back: what was logged, and its bytes when they are asked for."""

import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from weir._artifacts.asking import DirectAsker
from weir._artifacts.manifest import ManifestFile
from weir._media.view import Fetch, MediaView, views_of

if TYPE_CHECKING:
    from weir._api import Api


def media_views(api: "Api", project: str, metric: str, table: Any) -> list[MediaView]:
    """Return what the rows of an Arrow table (`rank`, `step`, `time_unix_us`, `value`) hold, in order."""
    fetch = _blobs_of(api, project)
    return [
        view
        for row in _rows(table)
        for view in views_of(
            row["value"],
            fetch,
            metric=metric,
            step=row["step"],
            rank=row["rank"],
            time_unix_us=row["time_unix_us"],
        )
    ]


def _rows(table: Any) -> Iterable[dict[str, Any]]:
    for batch in table.to_batches():
        yield from batch.to_pylist()


def _blobs_of(api: "Api", project: str) -> Fetch:
    """Read blobs through the same door, cache and checks as files of artifacts."""

    def fetch(sha256: str, size_bytes: int) -> bytes:
        asker = DirectAsker(api.artifacts_transport)
        with tempfile.TemporaryDirectory(prefix="weir-media-") as folder:
            file = ManifestFile("blob", sha256, size_bytes, "")
            asker.fetch(project, [file], Path(folder))
            return (Path(folder) / file.path).read_bytes()

    return fetch
