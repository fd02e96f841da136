"""Which artifacts and versions there are, from rows in memory."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence

from weir_store import tables
from weir_store.artifacts.assemble import Names, version_of, with_names
from weir_store.artifacts.clickhouse_versions import MAX_EDGES
from weir_store.artifacts.memory_blobs import Answers
from weir_store.artifacts.records import (
    AliasKind,
    ArtifactPage,
    ArtifactSummary,
    ArtifactVersion,
    Edge,
    State,
    VersionPage,
    VersionQuery,
)
from weir_store.memory import Row
from weir_store.memory_rows import unix_us


class VersionAnswers(Answers):
    """Implements base.VersionReader."""

    def list_versions(self, query: VersionQuery) -> VersionPage:
        """See `base.VersionReader.list_versions`."""
        found = [each for each in self._all(query.project) if _matches(query, each)]
        found.sort(key=lambda each: each.digest)
        found.sort(key=lambda each: each.version, reverse=True)
        found.sort(key=lambda each: each.name)
        found.sort(key=lambda each: each.created_unix_us, reverse=True)
        last = query.offset + query.limit if query.limit else None
        page = found[query.offset : last] if query.limit else found
        return VersionPage(self._named(query, page), len(found))

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
        """See `base.VersionReader.list_artifacts`."""
        by_name: defaultdict[str, list[ArtifactVersion]] = defaultdict(list)
        for each in self.list_versions(VersionQuery(project, now_unix_us)).versions:
            if type in ("", each.type) and search.lower() in each.name.lower():
                by_name[each.name].append(each)
        ordered = sorted(
            by_name, key=lambda name: (-max(v.created_unix_us for v in by_name[name]), name)
        )
        files = [row for row in self._of(tables.ARTIFACT_FILES, project) if row["sha256"]]
        summaries = [
            ArtifactSummary(
                max(by_name[name], key=lambda each: each.version),
                len({each.version for each in by_name[name]}),
                _bytes(files, {each.digest for each in by_name[name]}),
            )
            for name in ordered[offset : offset + limit]
        ]
        return ArtifactPage(summaries, len(ordered))

    def highest_version(self, project: str, name: str, *, live_at_unix_us: int = 0) -> int:
        """See `base.VersionReader.highest_version`."""
        numbers = (
            each.version
            for each in self._all(project)
            if each.name == name and (not live_at_unix_us or is_live(each, live_at_unix_us))
        )
        return max(numbers, default=-1)

    def read_alias(self, project: str, kind: AliasKind, name: str, alias: str) -> int | None:
        """See `base.VersionReader.read_alias`."""
        for row in self._of(tables.ALIASES, project):
            if (row["kind"], row["name"], row["alias"]) == (kind.value, name, alias):
                return int(row["version"])
        return None

    def read_edges_of_runs(self, runs: Sequence[tuple[str, str]]) -> list[Edge]:
        """See `base.VersionReader.read_edges_of_runs`."""
        wanted = set(runs)
        return self._edges(lambda edge: (edge.project, edge.run_id) in wanted)

    def read_edges_of_versions(self, versions: Sequence[tuple[str, str, int]]) -> list[Edge]:
        """See `base.VersionReader.read_edges_of_versions`."""
        wanted = set(versions)
        return self._edges(lambda edge: (edge.artifact_project, edge.name, edge.version) in wanted)

    # ── below ─────────────────────────────────────────────────────────────

    def _all(self, project: str) -> list[ArtifactVersion]:
        return [_version(row) for row in self._of(tables.ARTIFACT_VERSIONS, project)]

    def _named(
        self, query: VersionQuery, versions: Sequence[ArtifactVersion]
    ) -> list[ArtifactVersion]:
        latest: dict[str, int] = {}
        for each in self._all(query.project):
            if is_live(each, query.now_unix_us):
                latest[each.name] = max(each.version, latest.get(each.name, -1))
        aliases = [
            (row["name"], row["version"], row["alias"])
            for row in self._of(tables.ALIASES, query.project)
            if row["kind"] == AliasKind.ARTIFACT
        ]
        tags = [
            (row["name"], row["version"], row["tag"])
            for row in self._of(tables.ARTIFACT_TAGS, query.project)
        ]
        return with_names(versions, Names(aliases, tags, latest))

    def _edges(self, wanted: Callable[[Edge], bool]) -> list[Edge]:
        edges = filter(wanted, map(_edge, self._store.list_rows(tables.LINEAGE)))
        ordered = sorted(
            edges,
            key=lambda e: (e.at_unix_us, e.run_id, e.name, e.version, e.is_output),
        )
        return ordered[:MAX_EDGES]


def is_live(version: ArtifactVersion, now_unix_us: int) -> bool:
    """Return whether a version is there for readers."""
    ends = version.expires_unix_us
    return version.state is State.LIVE and (ends == 0 or ends > now_unix_us)


def _matches(query: VersionQuery, each: ArtifactVersion) -> bool:
    if query.states == (State.LIVE,):
        if not is_live(each, query.now_unix_us):
            return False
    elif each.state not in query.states:
        return False
    return (
        query.name in ("", each.name)
        and query.digest in ("", each.digest)
        and query.version in (None, each.version)
        and (query.numbers is None or (each.name, each.version) in query.numbers)
    )


def _bytes(files: Sequence[Row], digests: set[str]) -> int:
    named = {(row["sha256"], row["size"]) for row in files if row["digest"] in digests}
    return sum(size for _, size in named)


def _version(row: Row) -> ArtifactVersion:
    told = (
        *(row[name] for name in ("project", "name", "version", "digest", "type", "run_id")),
        *(row[name] for name in ("description", "metadata", "size", "files")),
        *(unix_us(row["created_at"]), row["created_by"], unix_us(row["expires_at"])),
    )
    return version_of((*told, row["state"]))


def _edge(row: Row) -> Edge:
    return Edge(
        row["project"],
        row["run_id"],
        row["artifact_project"],
        row["name"],
        row["version"],
        bool(row["is_output"]),
        unix_us(row["at"]),
    )
