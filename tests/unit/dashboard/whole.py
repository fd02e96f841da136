"""Every door of a dashboard over made-up runs, and a fate that can befall all of them at once."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, fields, replace
from functools import cache
from typing import Any

from tests.unit.dashboard.answering import Answering
from tests.unit.dashboard.ranked import Ranked
from tests.unit.dashboard.recorded import Recorded
from tests.unit.dashboard.ruled import Ruled
from tests.unit.dashboard.synthetic import SyntheticReader, many_runs, two_projects
from weir_dashboard.data_documents import DocumentDoors, DocumentsAsked
from weir_dashboard.sources import Sources
from weir_store.documents.editor import DocumentEditor
from weir_store.documents.memory import MemoryDocuments
from weir_store.documents.records import Kind
from weir_store.errors import StoreUnavailable
from weir_store.health.memory import MemoryHealth
from weir_store.memory import MemoryStore
from weir_store.records import Run, RunState

PROJECT = "gpt-small"
SCRIPT = '<script>document.title="hacked"</script><img src=x onerror="document.title=\'hacked\'">'
HOSTILE = (
    SCRIPT,
    "🦆🏳️‍🌈 نموذج 模型 \u202eabc",
    "x" * 5_000,
    "**bold** [link](javascript:alert(1)) :red[no] $x^2$ `code` | a | b |",
    "' OR 1=1 --\n\ttwo lines\x1b[31m",
)


@dataclass
class Fate:
    """What befalls a store: it answers so many questions more, then it is silent; each takes its time."""

    answers: float = math.inf
    slow_s: float = 0.0
    asked: int = 0

    def befall(self) -> None:
        self.asked += 1
        time.sleep(self.slow_s)
        if self.asked > self.answers:
            raise StoreUnavailable("connection refused by 127.0.0.1:7702", hint="run: weir status")

    def silence(self) -> None:
        self.answers = 0

    def restore(self) -> None:
        self.answers = math.inf


class Door:
    """A door of the store that a fate stands before."""

    def __init__(self, inner: Any, fate: Fate) -> None:
        self._inner = inner
        self._fate = fate

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        if name.startswith("_") or not callable(found):
            return found

        def asked(*args: Any, **more: Any) -> Any:
            self._fate.befall()
            return found(*args, **more)

        return asked


def whole(reader: SyntheticReader | None = None, fate: Fate | None = None) -> Sources:
    """Return every door there is, over these runs and what hangs on them; pages only look at them."""
    sources = _usual() if reader is None else _over(reader)
    return befallen(sources, fate) if fate else sources


@cache
def _usual() -> Sources:
    return _over(two_projects(6))


def _over(reader: SyntheticReader) -> Sources:
    recorded = Recorded(reader)
    if any(run.project == "ddp" for run in reader.runs):
        recorded = recorded.measure().print().keep()
    rules = Ruled()
    nan = rules.rule("nan")
    rules.health(nan, firing=1)
    return replace(
        recorded.sources,
        sql=Answering(),
        ranks=Ranked(reader),
        rules=rules.doors,
        documents=_documents(),
        health=MemoryHealth(recorded.store),
        parts=(),
    )


def _documents() -> DocumentDoors:
    store = MemoryStore()
    doors = DocumentDoors(MemoryDocuments(store), DocumentEditor(store))
    DocumentsAsked(doors).create(Kind.REPORT, PROJECT, "Findings", "# What was found", "ada")
    return doors


def report_id(sources: Sources) -> str:
    """Return the id of the one report there is."""
    assert sources.documents is not None
    reader = getattr(sources.documents.reader, "_inner", sources.documents.reader)
    (report,) = reader.list_documents(Kind.REPORT, PROJECT)
    return str(report.document_id)


def befallen(sources: Sources, fate: Fate) -> Sources:
    """Put a fate before every door of the store, those of tomorrow included."""
    doors: dict[str, Any] = {}
    for field in fields(sources):
        door = getattr(sources, field.name)
        if door is None or isinstance(door, tuple | int | str) or field.name == "objects":
            continue
        if hasattr(door, "__dataclass_fields__") and hasattr(door, "reader"):  # doors of their own
            doors[field.name] = replace(door, reader=Door(door.reader, fate))
        else:
            doors[field.name] = Door(door, fate)
    return replace(sources, **doors)


def hostile_runs() -> list[Run]:
    """Runs with everything in them that once broke a dashboard of somebody."""
    plain = many_runs("gpt-small", len(HOSTILE) + 4)
    runs = [
        replace(
            run,
            name=text,
            notes=text,
            group=text,
            user=text,
            tags=(text[:100], "ok"),
            config={**run.config, text[:200]: text, "note": text},
            summary={**run.summary, text[:200]: 1.0},
            meta={**run.meta, "command/line": text, "git/branch": text},
        )
        for run, text in zip(plain, HOSTILE, strict=False)
    ]
    nan, late, future, odd = plain[len(HOSTILE) :]
    now_us = int(time.time() * 1e6)
    return [
        *runs,
        replace(nan, summary=dict.fromkeys(nan.summary, math.nan), state=RunState.RUNNING),
        replace(late, created_unix_us=now_us, last_seen_unix_us=now_us - 10**13, state=RunState.RUNNING),
        replace(future, created_unix_us=now_us + 10**15, finished_unix_us=now_us, state=RunState.FAILED),
        replace(odd, summary={"train/loss": 2.0**53, "inf": math.inf, "low": -math.inf}, finished_unix_us=0),
    ]  # fmt: skip
