"""A rule as fields of a form ⇄ what `definition_of` reads. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from weir_store.errors import InvalidQuery
from weir_store.rules.records import Action, ActionKind, Definition, Parameter
from weir_store.rules.templates import TEMPLATES

OWN_SQL: Final = "SQL of my own"
SEVERITIES: Final = ("debug", "info", "warn", "error", "critical")
STARTING_SQL: Final = (
    "SELECT run_id, max(value) AS value\nFROM metrics\n"
    "WHERE metric = 'train/loss' AND time > now() - INTERVAL 10 MINUTE\n"
    "GROUP BY run_id HAVING value > 10"
)


def said(
    name: str,
    question: str,
    sql: str,
    values: Mapping[str, str],
    fields: Mapping[str, Any],
    actions: Sequence[dict[str, Any]],
) -> dict[str, Any]:
    """Put the fields together; what `definition_of` checks is left to it.

    Args:
        name: Of the rule.
        question: A template, or `OWN_SQL`.
        sql: The SELECT of `OWN_SQL`.
        values: Parameters as typed.
        fields: `every`, `for`, `window`, `cool_down`, `severity`, `title`, `tell_resolved`, `enabled`.
        actions: As `definition_of` reads them.
    """
    asked = {"sql": sql} if question == OWN_SQL else {"template": question}
    known = TEMPLATES[question].parameters if question in TEMPLATES else {}
    typed = {
        key: typed_as(key, value, known[key].default if key in known else "")
        for key, value in values.items()
        if value.strip()
    }
    changed = {
        key: value
        for key, value in typed.items()
        if key not in known or value != known[key].default
    }
    kept = {key: value for key, value in fields.items() if value not in ("", None)}
    return {"name": name.strip(), **asked, "with": changed, **kept, "actions": [*actions]}


def typed_as(name: str, text: str, default: Parameter) -> Parameter:
    """Read a value that was typed as what its default is. Raises `InvalidQuery` for what it is not."""
    text = text.strip()
    try:
        if isinstance(default, bool):
            return {"true": True, "false": False}[text.lower()]
        if isinstance(default, int):
            return int(text)
        if isinstance(default, float):
            return float(text)
    except (ValueError, KeyError) as error:
        kind = {bool: "true or false", int: "a whole number", float: "a number"}[type(default)]
        raise InvalidQuery(f"{name} is {text!r}", hint=kind) from error
    if isinstance(default, list):
        return [part.strip() for part in text.split(",") if part.strip()]
    return text


def shown_as(value: Parameter) -> str:
    """Write a parameter's value so that `typed_as` reads it."""
    if isinstance(value, bool):
        return str(value).lower()
    return ", ".join(value) if isinstance(value, list) else str(value)


def actions_of(lines: str) -> list[dict[str, Any]]:
    """Read actions, one a line: `slack https://…`, `tag diverged`, `stop`, `webhook https://… secret=…`.

    Raises:
        InvalidQuery: A line names no action.
    """
    return [_action(line.strip()) for line in lines.splitlines() if line.strip()]


def kept_actions(actions: Sequence[Action], left: Sequence[int]) -> list[dict[str, Any]]:
    """Return the actions at these places, secrets and all, as `definition_of` reads them."""
    kept = []
    for place in left:
        one = actions[place]
        target: Any = one.target or (True if one.kind is ActionKind.STOP else "")
        kept.append({str(one.kind): target, **({"secret": one.secret} if one.secret else {})})
    return kept


def fields_of(definition: Definition) -> dict[str, str]:
    """Return the spans of a definition as a form shows them."""
    return {
        "every": span(definition.every_s),
        "for": span(definition.for_s),
        "window": span(definition.window_s),
        "cool_down": span(definition.cool_down_s),
    }


def span(seconds: float) -> str:
    """Write a span as rules are written: `30s`, `10m`, `2h`."""
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "m")):
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:.0f}{unit}"
    return f"{seconds:g}s"


def _action(line: str) -> dict[str, Any]:
    word, _, rest = line.partition(" ")
    kinds = [kind.value for kind in ActionKind]
    if word not in kinds:
        raise InvalidQuery(f"{word!r} is no action", hint=f"one of {', '.join(kinds)}")
    target, _, secret = rest.strip().partition(" secret=")
    said: dict[str, Any] = {word: target.strip() or (True if word == "stop" else "")}
    return {**said, "secret": secret.strip()} if secret.strip() else said
