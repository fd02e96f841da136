"""Artifacts and the bytes of files, as far as a viewer may see them.

To those who may see some runs of a project, its artifacts are the versions that these runs made or read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from weir_dashboard.access.door_reader import check, sorted_refs
from weir_dashboard.access.questions import ArtifactQuestions, ObjectQuestions
from weir_dashboard.access.viewer import Viewer
from weir_store.artifacts.records import (
    ArtifactPage,
    Edge,
    ManifestFile,
    ModelChange,
    VersionPage,
    VersionQuery,
)
from weir_store.errors import UnknownObject
from weir_store.objects.keys import project_prefix
from weir_store.records import RunRef


class ArtifactsDoor:
    """What pages ask of an `ArtifactReader`, for one viewer."""

    def __init__(self, artifacts: ArtifactQuestions, viewer: Viewer) -> None:
        self._artifacts = artifacts
        self._viewer = viewer

    def list_versions(self, query: VersionQuery) -> VersionPage:
        """Return versions that match."""
        if not self._viewer.may_see(query.project):
            return VersionPage((), 0)
        if self._viewer.runs is not None:
            named = self._of_chosen_runs(query.project)
            wanted = named if query.numbers is None else named & set(query.numbers)
            query = replace(query, numbers=tuple(sorted(wanted)))
            if not wanted:
                return VersionPage((), 0)
        return self._artifacts.list_versions(query)

    def list_artifacts(
        self,
        project: str,
        *,
        now_unix_us: int,
        type: str = "",
        search: str = "",
        limit: int = 100,
        offset: int = 0,
    ) -> ArtifactPage:
        """Return a project's artifacts; none for those who may not see it as a whole."""
        if not self._viewer.may_see_all(project):
            return ArtifactPage((), 0)
        return self._artifacts.list_artifacts(
            project,
            now_unix_us=now_unix_us,
            type=type,
            search=search,
            limit=limit,
            offset=offset,
        )

    def stream_files(
        self, project: str, digest: str, *, prefix: str = ""
    ) -> Iterator[list[ManifestFile]]:
        """Yield a manifest's files; nothing where no version that they may see has it."""
        if not self._viewer.may_see(project):
            return iter(())
        if self._viewer.runs is not None:
            # `now` is 0: a version that has expired is no secret of others.
            found = self.list_versions(VersionQuery(project, 0, digest=digest, limit=1))
            if not found.versions:
                return iter(())
        return self._artifacts.stream_files(project, digest, prefix=prefix)

    def read_edges_of_runs(self, runs: Sequence[tuple[str, str]]) -> list[Edge]:
        """Return what runs made and read; what lies in projects they may not see is left out."""
        mine = [run for run in runs if self._viewer.may_see_run(RunRef(*run))]
        return self._shown(self._artifacts.read_edges_of_runs(mine)) if mine else []

    def read_edges_of_versions(self, versions: Sequence[tuple[str, str, int]]) -> list[Edge]:
        """Return which of the runs that they may see made and read these."""
        mine = [each for each in versions if self._viewer.may_see(each[0])]
        return self._shown(self._artifacts.read_edges_of_versions(mine)) if mine else []

    def list_models(self, project: str, model: str = "") -> list[ModelChange]:
        """Return where registered models stand; none for those who may not see the project as a whole."""
        if not self._viewer.may_see_all(project):
            return []
        return self._artifacts.list_models(project, model)

    def _shown(self, edges: list[Edge]) -> list[Edge]:
        return [
            edge
            for edge in edges
            if self._viewer.may_see(edge.artifact_project)
            and self._viewer.may_see_run(RunRef(edge.project, edge.run_id))
        ]

    def _of_chosen_runs(self, project: str) -> set[tuple[str, int]]:
        runs = sorted_refs(self._viewer)
        check(self._viewer, runs)
        edges = self.read_edges_of_runs([(ref.project, ref.run_id) for ref in runs])
        return {(edge.name, edge.version) for edge in edges if edge.artifact_project == project}


class ObjectsDoor:
    """Bytes of the projects that one viewer may see.

    A blob is named by the digest of its bytes, which pages find in what the other doors let through; so
    who may see some runs of a project is held to the project here.
    """

    def __init__(self, objects: ObjectQuestions, viewer: Viewer) -> None:
        self._objects = objects
        self._viewer = viewer

    def url(self, key: str, *, expires_s: int, filename: str = "") -> str:
        """Return where to GET an object."""
        self._check(key)
        return self._objects.url(key, expires_s=expires_s, filename=filename)

    def read(self, key: str, *, first: int = 0, length: int | None = None) -> Iterator[bytes]:
        """Yield an object's bytes."""
        self._check(key)
        return self._objects.read(key, first=first, length=length)

    def _check(self, key: str) -> None:
        allowed = self._viewer.allowed
        if allowed is not None and not key.startswith(tuple(map(project_prefix, allowed))):
            raise UnknownObject(f"no object {key!r}")
