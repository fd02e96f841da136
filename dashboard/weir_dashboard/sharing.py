"""What a page is about, as far as it can be shared. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from weir_dashboard import words
from weir_dashboard.selection import Query, format_ref, parse, parse_ref
from weir_store.records import RunRef

_OF_CHOSEN_RUNS: Final = ("compare", "ranks")
_OF_ONE_PROJECT: Final = (
    "runs",
    "workspace",
    "artifacts",
    "reports",
    "report",
    "rules",
    "sql",
)
_NAME_RUNS: Final = ("base", "pin", "show")


@dataclass(frozen=True, slots=True)
class Shared:
    """What a link to a page lets see.

    Attributes:
        title: For lists.
        address: Path and query of the page.
        project: What it lets see as a whole; "" = only `runs`.
        runs: Or these runs alone.
    """

    title: str
    address: str
    project: str = ""
    runs: tuple[RunRef, ...] = ()

    @property
    def in_words(self) -> str:
        """What whoever has the link may read."""
        if self.project:
            return f"everything in project {self.project}"
        if len(self.runs) == 1:
            return f"the run {format_ref(self.runs[0])} and nothing else"
        return f"these {len(self.runs):,} runs and nothing else"


def of_page(page: str, title: str, query: Query) -> Shared | None:
    """Return what the page of that address is about; None = neither of runs nor of one project."""
    address = f"/{page}?{urlencode({key: list(texts) for key, texts in query.items()}, doseq=True)}"
    selection = parse(query)
    if page == "run":
        if not (selection.project and selection.run_id):
            return None
        ref = RunRef(selection.project, selection.run_id)
        return Shared(f"{title} {format_ref(ref)}", address, runs=(ref,))
    if page in _OF_CHOSEN_RUNS and selection.runs:
        others = (parse_ref(text) for key in _NAME_RUNS for text in query.get(key, ()))
        runs = tuple(dict.fromkeys([*selection.runs, *(ref for ref in others if ref)]))
        named = format_ref(runs[0]) if len(runs) == 1 else words.count(len(runs), "run")
        return Shared(f"{title} of {named}", address, runs=runs)
    if page in _OF_ONE_PROJECT and selection.project:
        return Shared(f"{title} of {selection.project}", address, project=selection.project)
    return None
