"""Names in `MemoryStore`: the model that ClickHouse is judged by."""

from __future__ import annotations

from collections.abc import Sequence

from weir_store import tables
from weir_store.filter_match import like
from weir_store.memory import MemoryStore
from weir_store.names.base import CONFIG, METRIC, SPACES, SUMMARY, Name, NamePage, check
from weir_store.reader_metrics import glob_to_like, words_of


class MemoryNames:
    """Implements `base.NameReader`."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    def list_names(
        self, project: str, *, search: str = "", spaces: Sequence[str] = SPACES, limit: int = 100
    ) -> NamePage:
        """Return names that runs of a project use; see `base.NameReader`."""
        check(project, spaces, limit)
        used: dict[tuple[str, str], set[str]] = {}
        for space, name, run_id in self._uses(project):
            if space in spaces and all(_found(name, word) for word in words_of(search)):
                used.setdefault((space, name), set()).add(run_id)
        names = [Name(space, name, len(runs)) for (space, name), runs in used.items()]
        names.sort(key=lambda each: (-each.runs, each.space, each.name))
        return NamePage(tuple(names[:limit]), len(names))

    def _uses(self, project: str) -> list[tuple[str, str, str]]:
        live = {
            row["run_id"] for row in self._store.list_rows(tables.RUNS) if row["project"] == project
        }
        said = [
            (row["ns"], row["path"], row["run_id"], row["project"])
            for row in self._store.list_rows(tables.RUN_ATTRS)
            if row["ns"] in (CONFIG, SUMMARY)
        ]
        logged = [
            (METRIC, row["metric"], row["run_id"], row["project"])
            for row in self._store.list_rows(tables.POINTS)
        ]
        return [each[:3] for each in (*said, *logged) if each[3] == project and each[2] in live]


def _found(name: str, word: str) -> bool:
    if "*" in word or "?" in word:
        return like(glob_to_like(word), any_case=True).fullmatch(name) is not None
    return word.lower() in name.lower()
