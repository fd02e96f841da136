"""Runs and artifact versions as a graph, in Graphviz's language. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from weir_store.artifacts.records import Edge

MOST_EDGES: Final = 200

_HEAD: Final = (
    'digraph { rankdir=LR; bgcolor="transparent"; node [fontname="sans-serif" fontsize=11 '
    'style="rounded,filled" color="#8b93a1" fillcolor="#8b93a122" fontcolor="#7b8494"]; '
    'edge [color="#8b93a1" arrowsize=0.6];'
)


def dot(edges: Sequence[Edge], focus: tuple[str, int] | str) -> str:
    """Return what leads to what: versions a run read → the run → versions it made.

    Args:
        edges: At most `MOST_EDGES` of them are drawn, the newest.
        focus: What is set off: (name, version) or a run id.
    """
    drawn = sorted(edges, key=lambda edge: edge.at_unix_us)[-MOST_EDGES:]
    return "\n".join([_HEAD, *_nodes(drawn, focus), *map(_arrow, drawn), "}"])


def _nodes(edges: Sequence[Edge], focus: tuple[str, int] | str) -> Iterable[str]:
    versions = sorted({(edge.name, edge.version) for edge in edges})
    runs = sorted({edge.run_id for edge in edges})
    for name, version in versions:
        strong = " penwidth=2" if (name, version) == focus else ""
        yield f"{_quoted(f'a:{name}:{version}')} [shape=box label={_quoted(f'{name}:v{version}')}{strong}];"
    for run_id in runs:
        strong = " penwidth=2" if run_id == focus else ""
        yield f"{_quoted(f'r:{run_id}')} [shape=ellipse label={_quoted(run_id)}{strong}];"


def _arrow(edge: Edge) -> str:
    version, run = _quoted(f"a:{edge.name}:{edge.version}"), _quoted(f"r:{edge.run_id}")
    return f"{run} -> {version};" if edge.is_output else f"{version} -> {run};"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")
    return f'"{escaped}"'
