"""The text format of Prometheus and OpenMetrics, as far as numbers go. Pure."""

import re
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

_NAME: Final = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_LABEL: Final = re.compile(r'\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*=\s*"((?:[^"\\]|\\.)*)"\s*,?')
_ESCAPED: Final = re.compile(r"\\(.)")
_ESCAPES: Final = {"n": "\n"}


class Series(NamedTuple):
    """One line: a name, its labels, its value now."""

    name: str
    labels: Mapping[str, str]
    value: float


def parse(text: str) -> Iterator[Series]:
    """Iterate over the samples of a page; comments and lines that are none are passed over.

    Timestamps and exemplars are dropped: what counts is when we looked.
    """
    for line in text.splitlines():
        series = _parse_line(line.strip())
        if series is not None:
            yield series


def _parse_line(line: str) -> Series | None:
    name = _NAME.match(line)
    if name is None:  # also comments
        return None
    labels, at = _parse_labels(line, name.end())
    if at < 0:
        return None
    try:
        return Series(name[0], labels, float(line[at:].split(None, 1)[0]))
    except (ValueError, IndexError):
        return None


def _parse_labels(line: str, at: int) -> tuple[dict[str, str], int]:
    """Return the labels and where they end; -1 when they never do."""
    labels: dict[str, str] = {}
    if not line.startswith("{", at):
        return labels, at
    at += 1
    while (label := _LABEL.match(line, at)) is not None:
        labels[label[1]] = _ESCAPED.sub(lambda it: _ESCAPES.get(it[1], it[1]), label[2])
        at = label.end()
    closed = line.find("}", at)
    return labels, closed + 1 if closed >= 0 and not line[at:closed].strip() else -1
