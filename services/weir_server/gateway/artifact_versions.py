"""Versions that are there: found by number, alias or digest, edited, deleted, used."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from weir_proto.v1 import artifacts_pb2 as pb
from weir_server.clock import Clock
from weir_server.errors import NotReady
from weir_server.gateway import artifact_checks as checks
from weir_store.artifacts.base import ArtifactReader
from weir_store.artifacts.editor import ArtifactEditor
from weir_store.artifacts.records import (
    LATEST,
    AliasKind,
    ArtifactPage,
    ArtifactVersion,
    Edge,
    State,
    VersionPage,
    VersionQuery,
)
from weir_store.artifacts.walk import walk
from weir_store.errors import InvalidQuery, UnknownArtifact

_LIMIT: Final = 100
_MOST: Final = 1_000
_DEPTH, _MOST_DEPTH = 3, 10


class Versions:
    """Blocks on the store; safe from any thread."""

    def __init__(self, reader: ArtifactReader, editor: ArtifactEditor, clock: Clock) -> None:
        self._reader = reader
        self._editor = editor
        self._clock = clock

    # ── asking ────────────────────────────────────────────────────────────

    def get(self, wanted: pb.GetArtifactRequest) -> ArtifactVersion:
        """Return the version a request names. Raises `UnknownArtifact`."""
        checks.check_project(wanted.project)
        checks.check_name(wanted.name)
        word, now = wanted.version, self._clock.unix_us()
        of = VersionQuery(wanted.project, now, name=wanted.name, limit=1)
        number = checks.number_of(word)
        if word in ("", LATEST):
            number = self._latest(wanted)
        elif checks.is_sha256(word):
            return self._first(replace(of, digest=word), wanted)
        elif number is None:
            number = self._reader.read_alias(wanted.project, AliasKind.ARTIFACT, wanted.name, word)
        if number is None:
            raise _unknown(wanted)
        return self._first(replace(of, version=number), wanted)

    def list_artifacts(self, request: pb.ListArtifactsRequest) -> ArtifactPage:
        """Return artifacts, newest first."""
        checks.check_project(request.project)
        return self._reader.list_artifacts(
            request.project,
            now_unix_us=self._clock.unix_us(),
            type=request.type,
            search=request.search,
            limit=_limit(request.limit),
            offset=request.offset,
        )

    def list_versions(
        self, request: pb.ListVersionsRequest, may_see: Callable[[str], bool]
    ) -> VersionPage:
        """Return versions of an artifact, or those that a run made or used, newest first."""
        checks.check_project(request.project)
        if bool(request.name) == bool(request.run_id):
            raise InvalidQuery("versions of what?", hint="say name, or run_id")
        now, limit = self._clock.unix_us(), _limit(request.limit)
        if request.name:
            checks.check_name(request.name)
            of = VersionQuery(
                request.project, now, name=request.name, limit=limit, offset=request.offset
            )
            return self._reader.list_versions(of)
        edges = self._reader.read_edges_of_runs([(request.project, request.run_id)])
        by_project: dict[str, set[tuple[str, int]]] = {}
        for edge in edges:
            if may_see(edge.artifact_project):
                by_project.setdefault(edge.artifact_project, set()).add((edge.name, edge.version))
        found = [
            version
            for project, numbers in sorted(by_project.items())
            for version in self._reader.list_versions(
                VersionQuery(project, now, numbers=tuple(sorted(numbers)))
            ).versions
        ]
        found.sort(key=lambda each: each.created_unix_us, reverse=True)
        return VersionPage(found[request.offset : request.offset + limit], len(found))

    def lineage(
        self, request: pb.ReadLineageRequest, may_see: Callable[[str], bool]
    ) -> tuple[Sequence[Edge], bool]:
        """Return what lies around a run or a version, and whether there is more."""
        checks.check_project(request.project)
        depth = request.depth or _DEPTH
        if depth > _MOST_DEPTH:
            raise InvalidQuery(f"depth is {depth}", hint=f"at most {_MOST_DEPTH}")
        if request.WhichOneof("of") == "run_id":
            runs = [(request.project, request.run_id)]
            return walk(self._reader, runs=runs, depth=depth, may_see=may_see)
        version = self.get(request.artifact)
        versions = [(version.project, version.name, version.version)]
        return walk(self._reader, versions=versions, depth=depth, may_see=may_see)

    # ── changing ──────────────────────────────────────────────────────────

    def update(self, request: pb.UpdateArtifactRequest) -> ArtifactVersion:
        """Change what is said of a version; returns it as it is then."""
        wanted = _wanted(request)
        add, remove = checks.check_aliases(request.add_aliases), tuple(request.remove_aliases)
        add_tags, remove_tags = checks.check_tags(request.add_tags), tuple(request.remove_tags)
        _check_apart("alias", add, remove)
        _check_apart("tag", add_tags, remove_tags)
        if LATEST in remove:
            raise InvalidQuery(f"alias {LATEST!r} cannot be taken away", hint="it moves by itself")
        version = self.get(wanted)
        now = self._clock.unix_us()
        edited = self._edited(version, request, now)
        if edited != version:
            self._editor.put_version(edited, now)
        of = (version.project, version.name, version.version, now)
        theirs = [alias for alias in remove if alias in version.aliases]
        self._editor.put_tags(*of, add=add_tags, remove=remove_tags)
        self._editor.put_names(of[0], AliasKind.ARTIFACT, *of[1:], add=add, remove=theirs)
        return self.get(_numbered(version))

    def keep(self, version: ArtifactVersion) -> None:
        """Let a version never expire."""
        if version.expires_unix_us:
            forever = replace(version, expires_unix_us=0)
            self._editor.put_version(forever, self._clock.unix_us())

    def delete(self, request: pb.DeleteArtifactRequest, by: str) -> int:
        """Delete versions; returns how many.

        Raises:
            NotReady: Somebody has named one of them, or it is a registered model.
        """
        wanted = _wanted(request)
        if request.version:
            versions: Sequence[ArtifactVersion] = [self.get(wanted)]
        else:
            checks.check_name(wanted.name)
            of = VersionQuery(wanted.project, self._clock.unix_us(), name=wanted.name)
            versions = self._reader.list_versions(of).versions
            if not versions:
                raise _unknown(wanted)
        if not request.even_with_aliases:
            self._check_unnamed(versions)
        now = self._clock.unix_us()
        self._editor.end_versions(versions, State.DELETED, now)
        numbers = ", ".join(f"v{each.version}" for each in versions[:20])
        self._editor.add_notice(
            wanted.project,
            "artifact_deleted",
            f"{len(versions)} versions of {wanted.name} deleted by {by}",
            now,
            severity="warn",
            body=numbers + (", …" if len(versions) > 20 else ""),
            attrs={"by": by, "name": wanted.name, "versions": str(len(versions))},
        )
        return len(versions)

    def use(self, request: pb.UseArtifactRequest) -> ArtifactVersion:
        """Note that a run reads a version; returns it."""
        checks.check_project(request.project)
        checks.check_run_id(request.run_id)
        if not request.run_id:
            raise InvalidQuery("which run uses it?", hint="say run_id, or ask GetArtifact")
        version = self.get(request.artifact)
        self._editor.add_edge(
            Edge(
                request.project,
                request.run_id,
                version.project,
                version.name,
                version.version,
                is_output=False,
                at_unix_us=self._clock.unix_us(),
            )
        )
        return version

    # ── below ─────────────────────────────────────────────────────────────

    def _latest(self, wanted: pb.GetArtifactRequest) -> int | None:
        now = self._clock.unix_us()
        number = self._reader.highest_version(wanted.project, wanted.name, live_at_unix_us=now)
        return None if number < 0 else number

    def _first(self, query: VersionQuery, wanted: pb.GetArtifactRequest) -> ArtifactVersion:
        found = self._reader.list_versions(query).versions
        if not found:
            raise _unknown(wanted)
        return found[0]

    def _edited(
        self, version: ArtifactVersion, request: pb.UpdateArtifactRequest, now: int
    ) -> ArtifactVersion:
        if request.HasField("description"):
            checks.check_text("the description", request.description)
            version = replace(version, description=request.description)
        if request.HasField("metadata_json"):
            metadata = checks.check_metadata(request.metadata_json)
            version = replace(version, metadata_json=metadata)
        if request.HasField("ttl_s"):
            ttl_us = checks.check_ttl(request.ttl_s) * 1_000_000
            version = replace(version, expires_unix_us=now + ttl_us if ttl_us else 0)
        return version

    def _check_unnamed(self, versions: Sequence[ArtifactVersion]) -> None:
        for version in versions:
            own = [alias for alias in version.aliases if alias != LATEST]
            if own:
                raise NotReady(
                    f"{version.name}:v{version.version} is called {own[0]!r}",
                    hint="take the alias away, or say even_with_aliases",
                )
        numbers = {each.version for each in versions}
        first = versions[0]
        for model, number, of in self._reader.list_registered(first.project, first.name):
            if of in numbers:
                raise NotReady(
                    f"{first.name}:v{of} is version {number} of the model {model!r}",
                    hint="say even_with_aliases to delete it nevertheless",
                )


def _wanted(request: pb.UpdateArtifactRequest | pb.DeleteArtifactRequest) -> pb.GetArtifactRequest:
    checks.check_project(request.project)
    return pb.GetArtifactRequest(
        project=request.project, name=request.name, version=request.version
    )


def _numbered(version: ArtifactVersion) -> pb.GetArtifactRequest:
    return pb.GetArtifactRequest(
        project=version.project, name=version.name, version=f"v{version.version}"
    )


def _unknown(wanted: pb.GetArtifactRequest) -> UnknownArtifact:
    version = f":{wanted.version}" if wanted.version else ""
    return UnknownArtifact(f"no artifact {wanted.name + version!r} in project {wanted.project!r}")


def _limit(asked: int) -> int:
    if asked > _MOST:
        raise InvalidQuery(f"limit is {asked}", hint=f"at most {_MOST}")
    return asked or _LIMIT


def _check_apart(what: str, add: Sequence[str], remove: Sequence[str]) -> None:
    both = set(add) & set(remove)
    if both:
        raise InvalidQuery(
            f"{what} {min(both)!r} is both added and removed", hint="do one of the two"
        )
