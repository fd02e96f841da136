"""Attributes of runs: from rows of `run_attrs` to typed values, and the rules they carry."""

from __future__ import annotations

import fnmatch
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TypeAlias

from weir_store.metric_field import parse_metric_field
from weir_store.records import Json, Scalar

Value: TypeAlias = Scalar | Json

METRIC_RULE = "metric/"
"""Meta path `metric/<glob>` holds JSON: how metrics of that name are summarised and drawn."""


@dataclass
class Attributes:
    """Everything `run_attrs` holds of one run."""

    config: dict[str, Value] = field(default_factory=dict)
    summary: dict[str, Value] = field(default_factory=dict)
    meta: dict[str, Value] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    tags: list[str] = field(default_factory=list)
    rules: list[Rule] = field(default_factory=list)

    def put(self, space: str, path: str, value: Value, ver: int) -> None:
        """Take a row in; `space` is its `ns`."""
        match space:
            case "config":
                self.config[path] = value
            case "summary":
                self.summary[path] = value
            case "tag":
                self.tags.append(path)
            case "file" if isinstance(value, Json):
                self.files[path] = value.text
            case "meta":
                self.meta[path] = value
                rule = read_rule(path, value, ver)
                self.rules += [rule] if rule else []

    def text(self, path: str) -> str:
        """Return a piece of metadata as text, empty where it is not set."""
        value = self.meta.get(path)
        return value if isinstance(value, str) else ""


@dataclass(frozen=True, slots=True, order=True)
class Rule:
    """How metrics matching a glob are summarised: last, min, max, mean or none."""

    ver: int
    glob: str
    policy: str


def value_of(kind: str, num: float, whole: int, text: str) -> Value:
    """Return the value of a row; `kind` is its `type`."""
    match kind:
        case "float":
            return num
        case "int":
            return whole
        case "bool":
            return bool(whole)
        case "str":
            return text
        case "json":
            return Json(text)
    return None


def read_rule(path: str, value: Value, ver: int) -> Rule | None:
    """Read a metric's rule; `None` where the attribute is none or says nothing of the summary."""
    text = value.text if isinstance(value, Json) else value
    if not (path.startswith(METRIC_RULE) and isinstance(text, str)):
        return None
    try:
        told = json.loads(text)
    except ValueError:
        return None
    if not isinstance(told, dict) or not isinstance(told.get("summary"), str):
        return None
    policy = told["summary"]
    if policy == "best":
        policy = "max" if told.get("goal") == "maximize" else "min"
    return Rule(ver, path.removeprefix(METRIC_RULE), policy)


def policy_of(metric: str, rules: Iterable[Rule]) -> str:
    """Return how a metric is summarised: the newest rule that matches decides, else `last`."""
    matching = [rule for rule in rules if _glob(rule.glob).fullmatch(metric)]
    return max(matching).policy if matching else "last"


@lru_cache(maxsize=1_024)
def _glob(pattern: str) -> re.Pattern[str]:
    """As fnmatch, without its case folding: `*`, `?` and `[…]`; `*` also crosses `/`."""
    return re.compile(fnmatch.translate(pattern))


def of_paths(columns: Iterable[str] | None) -> Mapping[str, list[str]] | None:
    """Sort `config.*`, `summary.*`, `meta.*` and `metric.*@…` by namespace; `None` stays all of them.

    Metric fields come in their full form; of "all of them" there are none.
    """
    if columns is None:
        return None
    chosen: dict[str, list[str]] = {"config": [], "summary": [], "meta": [], "metric": []}
    for column in columns:
        space, _, path = column.partition(".")
        if space in chosen and path:
            chosen[space].append(str(parse_metric_field(path)) if space == "metric" else path)
    return chosen
