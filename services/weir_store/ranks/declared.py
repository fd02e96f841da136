"""How metrics say that their ranks become one value: `define_metric(glob, reduce=…)`. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from weir_store.attributes import METRIC_RULE, Rule, policy_of
from weir_store.ranks.base import DECLARABLE, Reduction


@dataclass(frozen=True, slots=True)
class Declared:
    """The reductions that some runs declared; where they disagree the newest word counts."""

    rules: tuple[Rule, ...] = ()

    def of(self, metric: str) -> Reduction:
        """Return how ranks of this metric become one value."""
        word = policy_of(metric, (*self.rules, Rule(-1, "*", Reduction.MEAN.value)))
        return Reduction(word)


def read_declared(rows: Iterable[tuple[str, str, int]]) -> Declared:
    """Understand what runs declared.

    Args:
        rows: Path, text and version of meta attributes; whatever is no declaration is left out.
    """
    rules = (_rule(path, text, ver) for path, text, ver in rows)
    return Declared(tuple(rule for rule in rules if rule))


def _rule(path: str, text: str, ver: int) -> Rule | None:
    try:
        told = json.loads(text)
    except ValueError:
        return None
    word = told.get("reduce") if isinstance(told, dict) else None
    if not path.startswith(METRIC_RULE) or word not in [each.value for each in DECLARABLE]:
        return None
    return Rule(ver, path.removeprefix(METRIC_RULE), str(word))
