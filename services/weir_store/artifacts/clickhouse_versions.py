"""Which artifacts and versions there are, and what came out of what."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from weir_store import tables
from weir_store.artifacts.assemble import Names, version_of, with_names
from weir_store.artifacts.clickhouse_tables import Questions, live
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
from weir_store.parameters import Parameters

MAX_EDGES: Final = 10_001
COLUMNS: Final = (
    "project, name, version, digest, type, run_id, description, metadata, size, files, created_us,"
    " created_by, expires_us, state"
)
_EDGE: Final = (
    "project, run_id, artifact_project, name, version, is_output, toUnixTimestamp64Micro(at) AS us"
)


class VersionQuestions(Questions):
    """Implements base.VersionReader."""

    def list_versions(self, query: VersionQuery) -> VersionPage:
        """See `base.VersionReader.list_versions`."""
        p = Parameters()
        where = _where(query, p)
        limit = f"LIMIT {query.limit:d} OFFSET {query.offset:d}" if query.limit else ""
        sql = f"""
SELECT {COLUMNS}, count() OVER () FROM {self._versions()} WHERE {where}
ORDER BY created_us DESC, name, version DESC, digest {limit}"""
        rows = self._rows(sql, p)
        versions = [version_of(row[:-1]) for row in rows]
        total = int(rows[0][-1]) if rows else self._count(query)
        return VersionPage(self._named(query, versions), total)

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
        p = Parameters()
        wanted = [f"project = {p.text(project)}", live(p, now_unix_us)]
        wanted += [f"type = {p.text(type)}"] if type else []
        wanted += [f"positionCaseInsensitiveUTF8(name, {p.text(search)}) > 0"] if search else []
        sql = f"""
SELECT name, max(version), uniqExact(version), max(created_us) AS newest, count() OVER ()
FROM {self._versions()} WHERE {" AND ".join(wanted)}
GROUP BY name ORDER BY newest DESC, name LIMIT {limit:d} OFFSET {offset:d}"""
        rows = self._rows(sql, p)
        numbers = tuple((str(name), int(version)) for name, version, *_ in rows)
        latest = {
            each.name: each
            for each in self.list_versions(
                VersionQuery(project, now_unix_us, numbers=numbers)
            ).versions
        }
        bytes_of = self._bytes(project, [name for name, _ in numbers], now_unix_us)
        return ArtifactPage(
            [
                ArtifactSummary(latest[name], int(count), bytes_of.get(name, 0))
                for name, _, count, *_ in rows
                if name in latest
            ],
            int(rows[0][-1]) if rows else 0,
        )

    def highest_version(self, project: str, name: str, *, live_at_unix_us: int = 0) -> int:
        """See `base.VersionReader.highest_version`."""
        p = Parameters()
        counts = live(p, live_at_unix_us) if live_at_unix_us else "true"
        sql = f"""
SELECT if(count() = 0, -1, toInt64(max(version))) FROM {self._versions()}
WHERE project = {p.text(project)} AND name = {p.text(name)} AND {counts}"""
        ((highest,),) = self._rows(sql, p)
        return int(highest)

    def read_alias(self, project: str, kind: AliasKind, name: str, alias: str) -> int | None:
        """See `base.VersionReader.read_alias`."""
        p = Parameters()
        sql = f"""
SELECT version FROM {self._table(tables.ALIASES)} FINAL
WHERE project = {p.text(project)} AND kind = {p.text(kind.value)} AND name = {p.text(name)}
  AND alias = {p.text(alias)}"""
        rows = self._rows(sql, p)
        return int(rows[0][0]) if rows else None

    def read_edges_of_runs(self, runs: Sequence[tuple[str, str]]) -> list[Edge]:
        """See `base.VersionReader.read_edges_of_runs`."""
        p = Parameters()
        return self._edges(f"(project, run_id) IN {p.tuples(runs, 2)}", p) if runs else []

    def read_edges_of_versions(self, versions: Sequence[tuple[str, str, int]]) -> list[Edge]:
        """See `base.VersionReader.read_edges_of_versions`."""
        if not versions:
            return []
        p = Parameters()
        of = p.rows(versions, "Tuple(String, String, UInt32)")
        names = p.texts(sorted({name for _, name, _ in versions}))
        return self._edges(
            f"name IN {names} AND (toString(artifact_project), name, version) IN {of}", p
        )

    # ── below ─────────────────────────────────────────────────────────────

    def _count(self, query: VersionQuery) -> int:
        p = Parameters()
        sql = f"SELECT count() FROM {self._versions()} WHERE {_where(query, p)}"
        ((count,),) = self._rows(sql, p)
        return int(count)

    def _named(
        self, query: VersionQuery, versions: Sequence[ArtifactVersion]
    ) -> list[ArtifactVersion]:
        """Return the versions with aliases and tags."""
        if not versions:
            return []
        p = Parameters()
        of = f"project = {p.text(query.project)}"
        names = p.texts(sorted({each.name for each in versions}))
        aliases = f"""
SELECT name, version, alias FROM {self._table(tables.ALIASES)} FINAL
WHERE {of} AND kind = 'artifact' AND name IN {names}"""
        tags = f"""
SELECT name, version, tag FROM {self._table(tables.ARTIFACT_TAGS)} FINAL
WHERE {of} AND name IN {names}"""
        latest = f"""
SELECT name, max(version) FROM {self._versions()}
WHERE {of} AND name IN {names} AND {live(p, query.now_unix_us)} GROUP BY name"""
        found = Names(
            aliases=self._rows(aliases, p),
            tags=self._rows(tags, p),
            latest=dict(self._rows(latest, p)),
        )
        return with_names(versions, found)

    def _bytes(self, project: str, names: Sequence[str], now_unix_us: int) -> dict[str, int]:
        """Return the bytes of each artifact's live versions, equal files counted once."""
        if not names:
            return {}
        p = Parameters()
        of = f"project = {p.text(project)}"
        sql = f"""
SELECT name, sum(size) FROM (
  SELECT DISTINCT v.name AS name, f.sha256 AS sha256, f.size AS size
  FROM (SELECT name, digest FROM {self._versions()}
    WHERE {of} AND name IN {p.texts(names)} AND {live(p, now_unix_us)}) AS v
  INNER JOIN (SELECT digest, sha256, size FROM {self._table(tables.ARTIFACT_FILES)} FINAL
    WHERE {of} AND sha256 != '') AS f ON v.digest = f.digest)
GROUP BY name"""
        return {name: int(size) for name, size in self._rows(sql, p)}

    def _edges(self, where: str, p: Parameters) -> list[Edge]:
        sql = f"""
SELECT {_EDGE} FROM {self._table(tables.LINEAGE)} FINAL WHERE {where}
ORDER BY us, run_id, name, version, is_output LIMIT {MAX_EDGES}"""
        return [_edge(*row) for row in self._rows(sql, p)]


def _where(query: VersionQuery, p: Parameters) -> str:
    wanted = [f"project = {p.text(query.project)}"]
    if query.states == (State.LIVE,):
        wanted.append(live(p, query.now_unix_us))
    else:
        wanted.append(f"toString(state) IN {p.texts([each.value for each in query.states])}")
    wanted += [f"name = {p.text(query.name)}"] if query.name else []
    wanted += [f"digest = {p.text(query.digest)}"] if query.digest else []
    wanted += [f"version = {p.whole(query.version)}"] if query.version is not None else []
    if query.numbers is not None:
        wanted.append(f"(name, version) IN {p.rows(query.numbers, 'Tuple(String, UInt32)')}")
    return " AND ".join(wanted)


def _edge(*row: Any) -> Edge:
    project, run_id, artifact_project, name, version, is_output, us = row
    return Edge(project, run_id, artifact_project, name, int(version), bool(is_output), int(us))
