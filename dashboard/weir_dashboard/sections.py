"""A run's metadata sorted into what people look for: code, command, packages, machine, data, seeds. Pure.

The paths are those of docs/formats/inputs.md and, below `node/`, of docs/formats/system.md.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Final

from weir_dashboard.colors import STORED
from weir_store.records import Json, Scalar

Facts = Mapping[str, Scalar | Json]

PACKAGES: Final = "environment/packages"
"""A mapping of package to version; shown as a section of its own."""

# first part of the path → title, in the order of the page
_TITLES: Final = {
    "git": "Code",
    "code": "Code",
    "command": "Command",
    "data": "Data",
    "seed": "Seeds",
    "environment": "Environment",
    "library": "Environment",
    "machine": "Machine",
    "container": "Machine",
    "variables": "Variables",
    "node": "Nodes",
    "inputs": "Not captured",
}
_PACKAGES_TITLE: Final = "Packages"
_OTHER: Final = "Other"
# What Weir keeps there for itself, or the page shows elsewhere.
_HIDDEN: Final = frozenset({STORED, "name", "notes", "group", "job_type", "user", PACKAGES})
_HIDDEN_PREFIXES: Final = ("metric/",)


def sections(meta: Facts) -> dict[str, dict[str, Scalar | Json]]:
    """Return metadata by section, in the order of the page; sections without facts are left out."""
    titles = dict.fromkeys((*_TITLES.values(), _PACKAGES_TITLE, _OTHER))
    found: dict[str, dict[str, Scalar | Json]] = {title: {} for title in titles}
    for path, value in sorted(meta.items()):
        if path not in _HIDDEN and not path.startswith(_HIDDEN_PREFIXES):
            found[_TITLES.get(path.partition("/")[0], _OTHER)][path] = value
    found[_PACKAGES_TITLE].update(packages(meta))
    return {title: facts for title, facts in found.items() if facts}


def packages(meta: Facts) -> dict[str, str]:
    """Return the versions of installed packages by name; empty when they were not recorded."""
    held = meta.get(PACKAGES)
    try:
        read = json.loads(held.text) if isinstance(held, Json) else {}
    except ValueError:
        return {}
    return {str(name): str(told) for name, told in sorted(_items(read))}


def commit(meta: Facts) -> str:
    """Write which code ran: `8bee9df0aa main (with local changes)`; empty when nobody knows."""
    hexes, branch = str(meta.get("git/commit") or "")[:10], str(meta.get("git/branch") or "")
    dirty = " (with local changes)" if meta.get("git/dirty") else ""
    return f"{hexes} {branch}".strip() + dirty if hexes else ""


def _items(read: object) -> Iterable[tuple[object, object]]:
    return read.items() if isinstance(read, Mapping) else ()
