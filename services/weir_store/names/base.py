"""What a search for names gives, and who answers it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from weir_store.errors import InvalidQuery

CONFIG: Final = "config"
SUMMARY: Final = "summary"
METRIC: Final = "metric"
SPACES: Final = (CONFIG, SUMMARY, METRIC)
MAX_NAMES: Final = 1_000


@dataclass(frozen=True, slots=True)
class Name:
    """A name, where it is used, and how many runs say it themselves (forks do not repeat their parents)."""

    space: str
    name: str
    runs: int


@dataclass(frozen=True, slots=True)
class NamePage:
    """Some names, and how many match in all."""

    names: tuple[Name, ...]
    total: int


class NameReader(Protocol):
    """Finds names. Safe from any thread; raises as `weir_store.base.Reader` does."""

    def list_names(
        self, project: str, *, search: str = "", spaces: Sequence[str] = SPACES, limit: int = 100
    ) -> NamePage:
        """Return names that runs of a project use: the most used first, then by space and name.

        Args:
            project: Whose runs.
            search: Words that must all occur (any case), or a glob when it holds `*` or `?`.
            spaces: Some of SPACES; metrics are those with numbers.
            limit: 1 … 1 000.
        """
        ...


def check(project: str, spaces: Sequence[str], limit: int) -> None:
    """Raise `InvalidQuery` for a search that breaks a limit."""
    if not project:
        raise InvalidQuery("names of which project?")
    if not 1 <= limit <= MAX_NAMES:
        raise InvalidQuery(f"limit is {limit}", hint=f"1 … {MAX_NAMES}")
    unknown = set(spaces) - set(SPACES)
    if unknown or not spaces:
        raise InvalidQuery(f"no names are in {sorted(unknown)}", hint=f"some of {SPACES}")
