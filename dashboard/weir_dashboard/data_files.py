"""Asking for artifacts, models and their files; the third part of data.py, with the same memory."""

from __future__ import annotations

import time
from itertools import islice
from typing import Final

from weir_dashboard.access.questions import ArtifactQuestions, ObjectQuestions
from weir_dashboard.blobs import KEPT_BYTES, Blobs
from weir_dashboard.last_good import Answer, LastGood
from weir_store.artifacts.records import (
    ArtifactPage,
    Edge,
    ManifestFile,
    ModelChange,
    VersionPage,
    VersionQuery,
)
from weir_store.errors import StoreUnavailable
from weir_store.records import RunRef

_FRESH_S: Final = 5.0
LISTED_FILES: Final = 5_000
LISTED_VERSIONS: Final = 200


class FilesAsked:
    """What pages may ask about artifacts and files. Safe from any thread.

    Attributes:
        blobs: The bytes.
    """

    def __init__(
        self,
        kept: LastGood,
        artifacts: ArtifactQuestions | None,
        objects: ObjectQuestions | None,
        kept_bytes: int = KEPT_BYTES,
    ) -> None:
        self.blobs = Blobs(objects, kept_bytes)
        self._kept = kept
        self._given = artifacts

    def artifacts(self, project: str, search: str, type: str = "") -> Answer[ArtifactPage]:
        """List a project's artifacts, the newest first."""
        return self._kept.ask(
            ("artifacts", project, search, type),
            _FRESH_S,
            lambda: self._reader.list_artifacts(
                project, now_unix_us=_now_us(), search=search, type=type, limit=LISTED_VERSIONS
            ),
        )

    def versions(self, project: str, name: str) -> Answer[VersionPage]:
        """List an artifact's versions, the newest first."""
        return self._kept.ask(
            ("versions", project, name),
            _FRESH_S,
            lambda: self._reader.list_versions(
                VersionQuery(project, _now_us(), name=name, limit=LISTED_VERSIONS)
            ),
        )

    def chosen(self, project: str, numbers: tuple[tuple[str, int], ...]) -> Answer[VersionPage]:
        """List these (name, version) of a project that are live."""
        return self._kept.ask(
            ("chosen", project, numbers),
            _FRESH_S,
            lambda: self._reader.list_versions(
                VersionQuery(project, _now_us(), numbers=numbers, limit=LISTED_VERSIONS)
            ),
        )

    def files(self, project: str, digest: str) -> Answer[list[ManifestFile]]:
        """List a manifest's files by path, the first `LISTED_FILES`."""
        return self._kept.ask(
            ("files", project, digest), _FRESH_S, lambda: self._list_files(project, digest)
        )

    def edges_of_run(self, ref: RunRef) -> Answer[list[Edge]]:
        """List what a run made and read."""
        return self._kept.ask(
            ("edges", ref),
            _FRESH_S,
            lambda: self._reader.read_edges_of_runs([(ref.project, ref.run_id)]),
        )

    def lineage(self, project: str, name: str, version: int) -> Answer[list[Edge]]:
        """List the edges around a version: its runs, and what else those made and read."""
        return self._kept.ask(
            ("lineage", project, name, version),
            _FRESH_S,
            lambda: self._read_lineage(project, name, version),
        )

    def models(self, project: str) -> Answer[list[ModelChange]]:
        """List where each registered model's newest version stands."""
        return self._kept.ask(
            ("models", project), _FRESH_S, lambda: self._reader.list_models(project)
        )

    def _list_files(self, project: str, digest: str) -> list[ManifestFile]:
        pieces = self._reader.stream_files(project, digest)
        return list(islice((file for piece in pieces for file in piece), LISTED_FILES))

    def _read_lineage(self, project: str, name: str, version: int) -> list[Edge]:
        near = self._reader.read_edges_of_versions([(project, name, version)])
        runs = sorted({(edge.project, edge.run_id) for edge in near})
        around = self._reader.read_edges_of_runs(runs) if runs else []
        return list(dict.fromkeys([*near, *around]))

    @property
    def _reader(self) -> ArtifactQuestions:
        if self._given is None:
            raise StoreUnavailable("this dashboard was started without artifacts")
        return self._given


def _now_us() -> int:
    return int(time.time() * 1e6)
