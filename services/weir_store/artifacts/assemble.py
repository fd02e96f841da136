"""Rows of several tables put together to versions: said once for both stores. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from weir_store.artifacts.records import LATEST, ArtifactVersion, State


@dataclass(frozen=True, slots=True)
class Names:
    """What versions are called: (name, version, alias), (name, version, tag), name → latest."""

    aliases: Iterable[tuple[str, int, str]]
    tags: Iterable[tuple[str, int, str]]
    latest: Mapping[str, int]


def with_names(versions: Sequence[ArtifactVersion], names: Names) -> list[ArtifactVersion]:
    """Return versions with their aliases and tags, by letter; `latest` comes first."""
    aliases, tags = _by_version(names.aliases), _by_version(names.tags)
    return [
        replace(
            each,
            aliases=(
                *((LATEST,) if names.latest.get(each.name) == each.version else ()),
                *sorted(aliases[each.name, each.version]),
            ),
            tags=tuple(sorted(tags[each.name, each.version])),
        )
        for each in versions
    ]


def version_of(row: Sequence[Any]) -> ArtifactVersion:
    """Return a row of `artifact_versions`: its columns up to `state`, times in Unix µs."""
    return replace(ArtifactVersion(*row[:-1]), state=State(row[-1]))


def _by_version(rows: Iterable[tuple[str, int, str]]) -> defaultdict[tuple[str, int], list[str]]:
    found: defaultdict[tuple[str, int], list[str]] = defaultdict(list)
    for name, version, word in rows:
        found[name, version].append(word)
    return found
