"""What a rule may say: JSON's values → `Definition`, and back. Pure; raises `InvalidQuery` with what to change."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from weir_store.errors import InvalidQuery
from weir_store.reader_events import SEVERITIES
from weir_store.rules.records import Action, ActionKind, Check, Definition, Parameter
from weir_store.rules.templates import TEMPLATES, template_of

LEAST_EVERY_S: Final = 5.0
MOST_SPAN_S: Final = 31 * 86_400.0
MOST_ALERTS: Final = 1_000
MOST_ACTIONS: Final = 10
MOST_SQL_BYTES: Final = 65_536
_MOST_TEXT_BYTES: Final = 2_048
_MOST_PARAMETERS: Final = 50
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")
_PARAMETER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_SPAN: Final = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|min|h|d)?")
_UNIT_S: Final = {
    None: 1.0,
    "ms": 0.001,
    "s": 1.0,
    "m": 60.0,
    "min": 60.0,
    "h": 3_600.0,
    "d": 86_400.0,
}
_CONTROL: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f]")
_ADDRESS: Final = re.compile(r"[^@\s<>,;\"]{1,64}@[^@\s<>,;\"]{1,255}")
OURS: Final = ("now", "window")
"""Parameters that every rule has, and nobody may set."""

_SPANS: Final = {
    "every": "every_s",
    "for": "for_s",
    "window": "window_s",
    "cool_down": "cool_down_s",
}
_KEYS: Final = (
    "name", "sql", "template", "check", "with", *_SPANS, "severity", "title", "max_alerts",
    "tell_resolved", "enabled", "actions",
)  # fmt: skip


def definition_of(said: Any) -> Definition:
    """Return what was said as a definition.

    Args:
        said: A mapping with `name`, one of `sql`, `template` and `check`, and whatever else
            docs/rules.md names.

    Raises:
        InvalidQuery: It is no rule; names the rule, the key and what it may be.
    """
    if not isinstance(said, Mapping):
        raise InvalidQuery(f"a rule is a mapping, not {type(said).__name__}", hint="name: …")
    name = said.get("name")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise InvalidQuery(
            f"rule name {name!r} is not good", hint="letters, digits and _.- , at most 128"
        )
    try:
        return _definition(name, said)
    except InvalidQuery as error:
        raise InvalidQuery(f"rule {name}: {error}") from error


def said_of(definition: Definition) -> dict[str, Any]:
    """Return a definition as JSON's values, such that `definition_of` gives it back."""
    said: dict[str, Any] = {
        "name": definition.name,
        "with": dict(definition.parameters),
        **{key: getattr(definition, field) for key, field in _SPANS.items()},
        "severity": definition.severity,
        "title": definition.title,
        "max_alerts": definition.max_alerts,
        "tell_resolved": definition.tell_resolved,
        "enabled": definition.enabled,
        "actions": [_said_action(action) for action in definition.actions],
    }
    if definition.template:
        said["template"] = definition.template
    elif definition.check is not Check.SQL:
        said["check"] = definition.check.value
    else:
        said["sql"] = definition.sql
    return said


def shown_of(definition: Definition) -> dict[str, Any]:
    """Return the same without secrets: addresses of webhooks and chats end behind the host."""
    said = said_of(definition)
    said["actions"] = [_shown_action(action) for action in definition.actions]
    return said


def shown_target(action: Action) -> str:
    """Return where an action goes as everybody may see it."""
    if action.kind not in (ActionKind.WEBHOOK, ActionKind.SLACK, ActionKind.DISCORD):
        return action.target
    scheme, _, rest = action.target.partition("://")
    return f"{scheme}://{rest.partition('/')[0]}/…"


def changes(before: Definition | None, after: Definition) -> list[tuple[str, str, str]]:
    """Return (key, before, after) of what becomes something else, secrets hidden."""
    old = said_of(before) if before else {}
    new = said_of(after)
    shown_old, shown_new = (shown_of(before) if before else {}), shown_of(after)
    keys = (*new, *(key for key in old if key not in new))
    return [
        (key, _word(shown_old.get(key)), _word(shown_new.get(key)))
        for key in keys
        if old.get(key) != new.get(key)
    ]


# ── below ──────────────────────────────────────────────────────────────────


def _definition(name: str, said: Mapping[str, Any]) -> Definition:
    strange = sorted(map(str, set(said) - set(_KEYS)))
    if strange:
        near = difflib.get_close_matches(strange[0], _KEYS, 1)
        hint = f"did you mean {near[0]}?" if near else f"one of {', '.join(_KEYS)}"
        raise InvalidQuery(f"there is no key {strange[0]!r}", hint=hint)
    check, sql, template = _question(said)
    suggested = _suggested(template)
    spans: dict[str, Any] = {
        field: _span(key, said[key]) if said.get(key) is not None else suggested[field]
        for key, field in _SPANS.items()
        if said.get(key) is not None or field in suggested
    }
    if spans.get("every_s", LEAST_EVERY_S) < LEAST_EVERY_S:
        raise InvalidQuery(f"every is {spans['every_s']:g} s", hint=f"{LEAST_EVERY_S:g} s or more")
    actions = said.get("actions") or []
    if not isinstance(actions, list) or len(actions) > MOST_ACTIONS:
        raise InvalidQuery("actions is no list, or longer than", hint=str(MOST_ACTIONS))
    return Definition(
        name=name,
        check=check,
        sql=sql,
        template=template,
        parameters=_parameters(said.get("with") or {}, template),
        **spans,
        severity=_severity(said.get("severity") or suggested.get("severity", "warn")),
        title=_text("title", said.get("title") or ""),
        max_alerts=_whole("max_alerts", said.get("max_alerts", 20), MOST_ALERTS),
        tell_resolved=_truth("tell_resolved", said.get("tell_resolved", False)),
        enabled=_truth("enabled", said.get("enabled", True)),
        actions=tuple(_action(each) for each in actions),
    )


def _question(said: Mapping[str, Any]) -> tuple[Check, str, str]:
    given = [key for key in ("sql", "template", "check") if said.get(key)]
    if len(given) != 1:
        raise InvalidQuery(
            f"has {' and '.join(given) or 'nothing to ask'}", hint="one of sql, template and check"
        )
    word = said[given[0]]
    if not isinstance(word, str):
        raise InvalidQuery(f"{given[0]} is no text")
    if given == ["check"]:
        checks = [check.value for check in Check if check is not Check.SQL]
        if word not in checks:
            raise InvalidQuery(f"there is no check {word!r}", hint=f"one of {', '.join(checks)}")
        return Check(word), "", ""
    if given == ["template"]:
        return template_of(word).check, "", word
    if len(word.encode()) > MOST_SQL_BYTES:
        raise InvalidQuery(f"sql has over {MOST_SQL_BYTES} bytes")
    return Check.SQL, word.strip(), ""


def _suggested(template: str) -> dict[str, Any]:
    if template not in TEMPLATES:
        return {}
    found = TEMPLATES[template]
    return {
        "every_s": found.every_s,
        "for_s": found.for_s,
        "window_s": found.window_s,
        "severity": found.severity,
    }


def _parameters(said: Any, template: str) -> dict[str, Parameter]:
    if not isinstance(said, Mapping) or len(said) > _MOST_PARAMETERS:
        raise InvalidQuery("with is no mapping, or too long", hint="with: {metric: train/loss}")
    known = TEMPLATES[template].parameters if template else None
    for name, value in said.items():
        if not isinstance(name, str) or not _PARAMETER.fullmatch(name) or name in OURS:
            raise InvalidQuery(
                f"parameter {name!r} is not good",
                hint=f"letters, digits and _ ; {' and '.join(OURS)} are set by Weir",
            )
        if known is not None and name not in known:
            raise InvalidQuery(
                f"template {template} has no parameter {name!r}",
                hint=f"one of {', '.join(known)}" if known else "it has none",
            )
        _check_parameter(name, value)
    return dict(said)


def _check_parameter(name: str, value: Any) -> None:
    each_of = value if isinstance(value, list) else [value]
    texts = [each for each in each_of if isinstance(each, str)]
    good = (
        all(isinstance(each, str) for each in each_of)
        if isinstance(value, list)
        else isinstance(value, str | int | float)
    )
    if (
        not good
        or any(len(text.encode()) > _MOST_TEXT_BYTES for text in texts)
        or len(each_of) > 1_000
    ):
        raise InvalidQuery(
            f"parameter {name} is {str(value)[:80]!r}",
            hint="a text, a number, true, or a list of texts",
        )


def _span(key: str, said: Any) -> float:
    """Return a span in seconds: `30`, `30s`, `10m`, `1.5h`, `7d`."""
    found = _SPAN.fullmatch(said.strip()) if isinstance(said, str) else None
    if found:
        seconds = float(found[1]) * _UNIT_S[found[2]]
    elif isinstance(said, int | float) and not isinstance(said, bool):
        seconds = float(said)
    else:
        raise InvalidQuery(f"{key} is {str(said)[:80]!r}", hint="seconds, or 30s, 10m, 1h, 7d")
    if not math.isfinite(seconds) or not 0 <= seconds <= MOST_SPAN_S:
        raise InvalidQuery(f"{key} is {seconds:g} s", hint="0 … 31 d")
    return seconds


def _severity(said: Any) -> str:
    if said not in SEVERITIES:
        raise InvalidQuery(f"severity is {said!r}", hint=f"one of {', '.join(SEVERITIES)}")
    return str(said)


def _whole(key: str, said: Any, most: int) -> int:
    if not isinstance(said, int) or isinstance(said, bool) or not 1 <= said <= most:
        raise InvalidQuery(f"{key} is {said!r}", hint=f"1 … {most}")
    return said


def _truth(key: str, said: Any) -> bool:
    if not isinstance(said, bool):
        raise InvalidQuery(f"{key} is {said!r}", hint="true or false")
    return said


def _text(key: str, said: Any) -> str:
    if not isinstance(said, str) or len(said.encode()) > _MOST_TEXT_BYTES or _CONTROL.search(said):
        raise InvalidQuery(
            f"{key} is no text, holds control characters, or is too long",
            hint=f"at most {_MOST_TEXT_BYTES} bytes",
        )
    return said


def _action(said: Any) -> Action:
    """Return `{webhook: URL, secret: …}`, `{tag: word}`, `{stop: true}` … as an action."""
    kinds = [kind.value for kind in ActionKind]
    given = [key for key in said if key in kinds] if isinstance(said, Mapping) else []
    if len(given) != 1 or set(said) - {given[0], "secret"}:
        raise InvalidQuery(
            f"an action says {_word(said)[:120]}",
            hint=f"one of {', '.join(kinds)}, e.g. webhook: https://…",
        )
    kind, target = ActionKind(given[0]), said[given[0]]
    secret = _text("secret", said.get("secret") or "")
    if secret and kind is not ActionKind.WEBHOOK:
        raise InvalidQuery(f"{kind} takes no secret")
    if kind is ActionKind.EMAIL and isinstance(target, list):
        target = ", ".join(map(str, target))
    if kind is ActionKind.STOP and target is True:
        target = ""
    target = _text(kind, target).strip()
    _check_target(kind, target)
    return Action(kind, target, secret)


def _check_target(kind: ActionKind, target: str) -> None:
    if kind is ActionKind.EMAIL:
        for address in target.split(","):
            if not _ADDRESS.fullmatch(address.strip()):
                raise InvalidQuery(f"{address.strip()!r} is no e-mail address", hint="name@host")
    elif not target and kind is not ActionKind.STOP:
        raise InvalidQuery(f"{kind} says nothing", hint=f"{kind}: …")
    elif kind is ActionKind.TAG and len(target.encode()) > 512:
        raise InvalidQuery("tag has over 512 bytes")
    elif kind is ActionKind.STOP and len(target.encode()) > 400:
        raise InvalidQuery("the reason of stop has over 400 bytes")


def _said_action(action: Action) -> dict[str, Any]:
    target: Any = action.target
    if action.kind is ActionKind.STOP and not target:
        target = True
    return {action.kind.value: target, **({"secret": action.secret} if action.secret else {})}


def _shown_action(action: Action) -> dict[str, Any]:
    said = _said_action(action)
    said[action.kind.value] = shown_target(action) or said[action.kind.value]
    return said | ({"secret": "…"} if action.secret else {})


def _word(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {_word(each)}" for key, each in value.items())
    if isinstance(value, Iterable) and not isinstance(value, str):
        return "; ".join(map(_word, value))
    return "" if value is None else str(value)
