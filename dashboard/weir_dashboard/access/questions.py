"""What the dashboard asks of doors that can do more than it needs: the part that a viewer's door has to have."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from weir_store.artifacts.records import (
    ArtifactPage,
    Edge,
    ManifestFile,
    ModelChange,
    VersionPage,
    VersionQuery,
)
from weir_store.changes.base import Change
from weir_store.changes.requests import Weight
from weir_store.documents.records import Document
from weir_store.edits import Edits
from weir_store.records import Run, RunRef
from weir_store.rules.records import Definition, Delivery, Findings, GroupState, Rule


class ArtifactQuestions(Protocol):
    """Of `weir_store.artifacts.base.ArtifactReader`."""

    def list_versions(self, query: VersionQuery) -> VersionPage:
        """Return versions that match, newest first."""
        ...

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
        """Return artifacts that have a live version."""
        ...

    def stream_files(
        self, project: str, digest: str, *, prefix: str = ""
    ) -> Iterator[list[ManifestFile]]:
        """Yield a manifest's files by path."""
        ...

    def read_edges_of_runs(self, runs: Sequence[tuple[str, str]]) -> list[Edge]:
        """Return what these (project, run_id) made and read."""
        ...

    def read_edges_of_versions(self, versions: Sequence[tuple[str, str, int]]) -> list[Edge]:
        """Return which runs made and read these (project, name, version)."""
        ...

    def list_models(self, project: str, model: str = "") -> list[ModelChange]:
        """Return where registered models stand."""
        ...


class ObjectQuestions(Protocol):
    """Of `weir_store.objects.base.ObjectStore`."""

    def url(self, key: str, *, expires_s: int, filename: str = "") -> str:
        """Return where to GET an object."""
        ...

    def read(self, key: str, *, first: int = 0, length: int | None = None) -> Iterator[bytes]:
        """Yield an object's bytes."""
        ...


class RuleWrites(Protocol):
    """Of `weir_store.rules.editor.RuleEditor`."""

    def put_rule(self, rule: Rule) -> None:
        """Store a rule."""
        ...

    def delete_rule(
        self, rule: Rule, states: Sequence[GroupState], waiting: Sequence[Delivery]
    ) -> None:
        """Take a rule away."""
        ...

    def put_deliveries(self, deliveries: Sequence[Delivery]) -> None:
        """Store where deliveries stand."""
        ...


class RuleTrial(Protocol):
    """Of `weir_store.rules.ask.Asking`."""

    def find(self, project: str, definition: Definition, now_unix_us: int) -> Findings:
        """Evaluate a rule once."""
        ...


class DocumentWrites(Protocol):
    """Of `weir_store.documents.editor.DocumentEditor`."""

    def put(self, document: Document) -> None:
        """Store one version."""
        ...


class RunWrites(Protocol):
    """Of `weir_store.changes.requests.Requests`."""

    def edit(self, wanted: Sequence[tuple[Run, Edits]], *, by: str, at_unix_us: int) -> None:
        """Change labels and tags."""
        ...

    def stop(self, ref: RunRef, *, by: str, at_unix_us: int, reason: str = "") -> Change:
        """Ask a run's processes to stop."""
        ...

    def delete(self, ref: RunRef, *, by: str, at_unix_us: int, reason: str = "") -> Change:
        """Hide a run now."""
        ...

    def move(
        self,
        project: str,
        runs: Sequence[str],
        target: str,
        *,
        by: str,
        at_unix_us: int,
        reason: str = "",
    ) -> Change:
        """Move runs to another project."""
        ...

    def get(self, change: Change) -> Change:
        """Return how a change stands."""
        ...

    def weigh(self, project: str, runs: Sequence[str]) -> Weight:
        """Return what deleting runs would free."""
        ...
