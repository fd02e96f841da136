"""Tables, JSON and numbers as the commands that ask the server print them."""

import json
import math
import os
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import click

from weir._terminal_text import safe_text

_UNBROKEN: Final = 10_000  # characters of a line that another program reads
_STYLES: Final = {
    "running": "green",
    "finished": "blue",
    "failed": "red",
    "crashed": "red",
    "interrupted": "yellow",
    "whole": "green",
    "pending": "yellow",
    "unclaimed": "yellow",
    "lost": "red",
    "changed": "red",
    "missing": "red",
    "doubled": "red",
    "warn": "yellow",
    "error": "red",
    "critical": "red",
}


def styled(word: str) -> str:
    """Return a state, verdict or severity in its colour, for a cell of `print_table`."""
    return f"[{_STYLES[word]}]{word}[/]" if word in _STYLES else word


def ago(moment: datetime | None) -> str:
    """Return how long ago something was, as people say it."""
    if moment is None:
        return ""
    seconds = max(0, int((datetime.now(UTC) - moment).total_seconds()))
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size:
            return f"{seconds // size} {unit} ago"
    return f"{seconds} s ago"


def lasting(seconds: float | None) -> str:
    """Return how long something took, as people say it: the two largest units."""
    if seconds is None:
        return ""
    left, parts = round(seconds), []
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)):
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2]) or "0 s"


def grouped(count: int) -> str:
    """Return a count with its thousands apart: `1 200 000`."""
    return f"{count:,}".replace(",", " ")


def print_table(
    columns: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    right: Sequence[str] = (),
    header: bool = True,
    least_width: int = 0,
) -> None:
    """Print rows below each other. Cells are plain text, or one `styled` word.

    On a terminal long cells are broken to fit; for another program a row stays one line.

    Args:
        columns: Their headings.
        rows: One text per column.
        right: Columns of numbers.
        header: Whether to print the headings.
        least_width: Do not squeeze below so many characters, whatever the terminal.
    """
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, pad_edge=False, show_header=header)
    for column in columns:
        table.add_column(column, justify="right" if column in right else "left", overflow="fold")
    markup = {styled(word) for word in _STYLES}
    for row in rows:
        table.add_row(*(cell if cell in markup else escape(_plain(cell)) for cell in row))
    console = Console()
    if not console.is_terminal and "COLUMNS" not in os.environ:  # noqa: TID251 - as rich has it
        least_width = _UNBROKEN
    Console(width=max(console.width, least_width)).print(table)


def _plain(cell: str) -> str:
    """What people wrote, without what a terminal would obey: names and notes come from anywhere."""
    return "\n".join(safe_text(line, colours=False) for line in cell.split("\n"))


def print_json(answer: Any) -> None:
    """Print an answer as JSON: times as ISO 8601, NaN and infinities as text."""
    click.echo(json.dumps(_json_ready(answer), indent=1, allow_nan=False))


def _json_ready(value: Any) -> Any:
    match value:
        case dict():
            return {key: _json_ready(each) for key, each in value.items()}
        case list() | tuple():
            return [_json_ready(each) for each in value]
        case datetime():
            return value.isoformat()
        case float() if not math.isfinite(value):
            return str(value)
    return value
