"""The one place that decides who is told what: every door of the store, as a viewer may use it.

Pages and routes reach the store through `data.ask()` alone, and `data.ask()` hands out what stands on the doors made
here. A viewer's question for something else is answered as the store answers for what does not exist. Answers are kept
apart by what may be seen, so that none kept for one viewer is shown to another who may see less.

A new door of `Sources` is closed to everybody who may not see everything until it is opened here; a new method of a
reader is missing in its class here, and mypy says so.
"""

from __future__ import annotations

import copy
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Final, Generic, Protocol, TypeVar

from weir_dashboard.access.door_artifacts import ArtifactsDoor, ObjectsDoor
from weir_dashboard.access.door_compare import CompareDoor
from weir_dashboard.access.door_documents import document_doors
from weir_dashboard.access.door_edits import EditsDoor
from weir_dashboard.access.door_groups import GroupsDoor
from weir_dashboard.access.door_health import HealthDoor
from weir_dashboard.access.door_names import NamesDoor
from weir_dashboard.access.door_nodes import ConsoleDoor, SystemDoor
from weir_dashboard.access.door_ranks import RanksDoor
from weir_dashboard.access.door_reader import ReaderDoor
from weir_dashboard.access.door_rules import rule_doors
from weir_dashboard.access.door_sql import SqlDoor
from weir_dashboard.access.viewer import Via, Viewer
from weir_dashboard.sources import Sources

_REMEMBERED: Final = 16
_SHARE_OF_BYTES: Final = 8  # files in memory: at most thrice as many bytes as with one door for all


def opened(sources: Sources, viewer: Viewer) -> Sources:
    """Return the doors as this viewer may use them."""
    if viewer.sees_everything:
        return sources
    system, console, sql = sources.system, sources.console, sources.sql
    artifacts, objects, ranks = sources.artifacts, sources.objects, sources.ranks
    return Sources(
        ReaderDoor(sources.reader, viewer),
        system=system and SystemDoor(system, viewer),
        console=console and ConsoleDoor(console, viewer),
        artifacts=artifacts and ArtifactsDoor(artifacts, viewer),
        objects=objects and ObjectsDoor(objects, viewer),
        sql=SqlDoor(sql, viewer) if sql and viewer.runs is None else None,
        ranks=ranks and RanksDoor(ranks, viewer),
        rules=sources.rules and rule_doors(sources.rules, viewer),
        compared=sources.compared and CompareDoor(sources.compared, viewer),
        names=sources.names and NamesDoor(sources.names, viewer),
        edits=_edits(sources, viewer),
        documents=sources.documents and document_doors(sources.documents, viewer),
        groups=sources.groups and GroupsDoor(sources.groups, viewer),
        share=sources.share if viewer.via is not Via.LINK else None,
        health=_health(sources, viewer),
        parts=sources.parts if viewer.allowed is None and viewer.runs is None else None,
        kept_bytes=sources.kept_bytes // _SHARE_OF_BYTES,
    )


def _edits(sources: Sources, viewer: Viewer) -> EditsDoor | None:
    may = viewer.may_edit_anything
    return EditsDoor(sources.edits, viewer) if sources.edits and may else None


def _health(sources: Sources, viewer: Viewer) -> HealthDoor | None:
    """Return the door of health; share links have none: it is about no run and no page."""
    shared = viewer.via is Via.LINK or viewer.runs is not None
    return HealthDoor(sources.health, viewer) if sources.health and not shared else None


class Asking(Protocol):
    """What says who asks it."""

    me: Viewer


A = TypeVar("A", bound=Asking)


class PerViewer(Generic[A]):
    """What is asked, made once for all viewers who may see the same. Safe from any thread."""

    def __init__(self, sources: Sources, make: Callable[[Sources], A]) -> None:
        self._sources = sources
        self._make = make
        self._lock = threading.Lock()  # guards _made
        self._made: OrderedDict[object, A] = OrderedDict()
        self._everything = make(sources)

    def of(self, viewer: Viewer) -> A:
        """Return what this viewer asks, with their name on it."""
        shared = self._everything if viewer.sees_everything else self._shared(viewer)
        if shared.me == viewer:
            return shared
        asked = copy.copy(shared)
        asked.me = viewer
        return asked

    def _shared(self, viewer: Viewer) -> A:
        sight = (viewer.role, viewer.projects, viewer.runs)
        with self._lock:
            if sight not in self._made:
                self._made[sight] = self._make(opened(self._sources, viewer))
            self._made.move_to_end(sight)
            while len(self._made) > _REMEMBERED:
                self._made.popitem(last=False)
            return self._made[sight]
