"""What came out of what, as far as one wants to see: run → version → run."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Final

from weir_store.artifacts.base import VersionReader
from weir_store.artifacts.records import Edge

MAX_EDGES: Final = 5_000

RunName = tuple[str, str]
VersionName = tuple[str, str, int]


def walk(
    reader: VersionReader,
    *,
    runs: Collection[RunName] = (),
    versions: Collection[VersionName] = (),
    depth: int,
    may_see: Callable[[str], bool],
) -> tuple[list[Edge], bool]:
    """Return the edges within `depth` steps of these runs and versions, nearest first.

    Args:
        reader: Asked twice for each step, however wide it is.
        runs: (project, run_id) to begin with.
        versions: (project, name, version) to begin with.
        depth: Steps; an edge is one.
        may_see: Whether what lies in a project may be shown; an edge lies in two.

    Returns:
        The edges, and whether there are more: further away, or over `MAX_EDGES`.
    """
    found: dict[tuple[object, ...], Edge] = {}
    seen_runs, seen_versions = set(runs), set(versions)
    next_runs, next_versions = set(runs), set(versions)
    for step in range(depth + 1):
        edges = [
            edge
            for edge in (
                *reader.read_edges_of_runs(sorted(next_runs)),
                *reader.read_edges_of_versions(sorted(next_versions)),
            )
            if may_see(edge.project) and may_see(edge.artifact_project)
        ]
        fresh = {_key(edge): edge for edge in edges if _key(edge) not in found}
        if not fresh:
            return list(found.values()), False
        if step == depth:
            return list(found.values()), True
        room = MAX_EDGES - len(found)
        if len(fresh) > room:
            return [*found.values(), *list(fresh.values())[:room]], True
        found |= fresh
        next_runs = {(edge.project, edge.run_id) for edge in fresh.values()} - seen_runs
        next_versions = {_version(edge) for edge in fresh.values()} - seen_versions
        seen_runs |= next_runs
        seen_versions |= next_versions
    return list(found.values()), False


def _key(edge: Edge) -> tuple[object, ...]:
    return (edge.project, edge.run_id, *_version(edge), edge.is_output)


def _version(edge: Edge) -> VersionName:
    return edge.artifact_project, edge.name, edge.version
