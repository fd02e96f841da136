"""Instants, spans, states and values as people read them. Pure."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from typing import Final

from weir_store.records import Json, Run, RunState, Scalar

SILENT_AFTER_S: Final = 120
"""A running run that was not heard of for this long is called silent."""

_MARKUP: Final = re.compile(r"([\\`*_{}\[\]()#+\-.!|$~:<>&])")
_SPANS: Final = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))
_MARKS: Final = {
    RunState.RUNNING: "●",
    RunState.FINISHED: "✓",
    RunState.FAILED: "✕",
    RunState.CRASHED: "✕",
    RunState.INTERRUPTED: "◼",
}


def span(seconds: float) -> str:
    """Write a span with its two largest units: `2 d 3 h`, `4 min 10 s`."""
    left = max(0, int(seconds))
    parts: list[str] = []
    for size, unit in _SPANS:
        if left >= size or (unit == "s" and not parts):
            parts.append(f"{left // size} {unit}")
        left %= size
    return " ".join(parts[:2])


def ago(unix_us: int, now_unix_s: float) -> str:
    """Write how long ago an instant was; `never` for 0."""
    if unix_us == 0:
        return "never"
    largest = span(now_unix_s - unix_us / 1e6).split(" ")[:2]
    return f"{' '.join(largest)} ago"


def count(number: int, word: str, words: str = "") -> str:
    """Write how many there are of something: `1 run`, `2,000 runs`, `3 processes`."""
    return f"{number:,} {word if number == 1 else words or word + 's'}"


def short(text: str, most: int = 48) -> str:
    """Write a name in one line of at most so many characters: names may be as long as their authors like."""
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 1]}…"


def plain(text: str) -> str:
    """Write a text that others wrote, such as an error, so that markdown shows it as it is."""
    return _MARKUP.sub(r"\\\1", text)


def instant(unix_us: int) -> str:
    """Write an instant in UTC; empty for 0."""
    if unix_us == 0:
        return ""
    return datetime.fromtimestamp(unix_us / 1e6, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def run_span_s(run: Run, now_unix_s: float) -> float:
    """Return how long the run has taken, seconds, up to now while it is running."""
    if run.state is RunState.RUNNING:
        return now_unix_s - run.created_unix_us / 1e6
    end = run.finished_unix_us or run.last_seen_unix_us or run.created_unix_us
    return (end - run.created_unix_us) / 1e6


def state(run: Run, now_unix_s: float) -> str:
    """Write the state, never by colour alone; a running run that says nothing is called silent."""
    silent_s = now_unix_s - run.last_seen_unix_us / 1e6
    if run.state is RunState.RUNNING and run.last_seen_unix_us and silent_s > SILENT_AFTER_S:
        return f"◌ silent {span(silent_s)}"
    return f"{_MARKS[run.state]} {run.state}"


def value(scalar: Scalar | Json) -> str:
    """Write a config or summary leaf: four significant digits for floats."""
    match scalar:
        case Json(text):
            return text
        case None:
            return ""
        case bool():
            return "true" if scalar else "false"
        case float():
            return number(scalar)
        case _:
            return str(scalar)


def number(x: float) -> str:
    """Write a number with four significant digits, scientific below 1e-3."""
    if not math.isfinite(x):
        return "NaN" if math.isnan(x) else "∞" if x > 0 else "−∞"
    if x != 0 and (abs(x) < 1e-3 or abs(x) >= 1e7):
        mantissa, exponent = f"{x:.3e}".split("e")
        return f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}"
    return f"{x:.0f}" if abs(x) >= 1e4 else f"{x:.4g}"
