"""Edits of runs as people make them in tables and forms: from what they typed to what is to be changed. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

from weir_dashboard import words
from weir_store.edits import Edits
from weir_store.records import Run, RunRef

EDITED: Final = ("name", "tags", "notes")
"""Columns of the table that can be typed into."""


@dataclass(frozen=True, slots=True)
class Picked:
    """Runs that are picked, and those of them that the page does not show."""

    refs: tuple[RunRef, ...]
    hidden: int

    def __str__(self) -> str:
        told = f"{len(self.refs):,} picked"
        return f"{told}, {self.hidden:,} not shown" if self.hidden else told


def editing_frame(runs: Sequence[Run]) -> pd.DataFrame:
    """Return the table that is typed into, one row a run."""
    return pd.DataFrame(
        {
            "id": [run.run_id for run in runs],
            "name": [run.name for run in runs],
            "tags": [list(run.tags) for run in runs],
            "notes": [run.notes for run in runs],
        }
    )


def typed(runs: Sequence[Run], rows: Mapping[int, Mapping[str, Any]]) -> list[tuple[RunRef, Edits]]:
    """Return what was typed into the rows of `editing_frame` as edits; rows that say nothing new are left out."""
    found = [(runs[at].ref, edits_of(runs[at], told)) for at, told in sorted(rows.items())]
    return [(ref, edits) for ref, edits in found if edits != Edits()]


def edits_of(run: Run, told: Mapping[str, Any]) -> Edits:
    """Return the edits that make of a run what is told of it; what is not told stays."""
    name, notes, tags = told.get("name"), told.get("notes"), told.get("tags")
    wanted = set(run.tags) if tags is None and "tags" not in told else set(clean_tags(tags or ()))
    return Edits(
        name=_other(run.name, name, "name" in told),
        notes=_other(run.notes, notes, "notes" in told),
        add_tags=tuple(sorted(wanted - set(run.tags))),
        remove_tags=tuple(sorted(set(run.tags) - wanted)),
    )


def clean_tags(tags: Sequence[object]) -> tuple[str, ...]:
    """Return tags without blanks around them, each once, the empty ones left out."""
    return tuple(dict.fromkeys(text for text in (str(tag).strip() for tag in tags) if text))


def report(outcomes: Sequence[Any]) -> str:
    """Return what came of a bulk change in one line."""
    done = sum(outcome.is_done for outcome in outcomes)
    refused = len(outcomes) - done
    told = f"{words.count(done, 'run')} done"
    return f"{told}, {refused:,} refused" if refused else told


def _other(before: str, after: object, is_told: bool) -> str | None:
    text = "" if after is None else str(after)
    return text if is_told and text != before else None
