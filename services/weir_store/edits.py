"""What people change of a run, and what that comes to: pure."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from weir_store.errors import InvalidQuery
from weir_store.records import Run

LABELS: Final = ("name", "notes", "group", "job_type")
"""Text that can be edited; it lies in the namespace `meta` under the same names."""

MAX_NAME_BYTES: Final = 512
MAX_NOTES_BYTES: Final = 65_536
MAX_TAGS: Final = 1_000

_SHOWN_BYTES: Final = 4_096
_CUT: Final = " …"


@dataclass(frozen=True, slots=True)
class Edits:
    """What is wanted; what is `None` or empty stays as it is."""

    name: str | None = None
    notes: str | None = None
    group: str | None = None
    job_type: str | None = None
    add_tags: tuple[str, ...] = ()
    remove_tags: tuple[str, ...] = ()


def check(edits: Edits) -> None:
    """Raise `InvalidQuery` for edits that are too long, or tags that are none."""
    for label in LABELS:
        most = MAX_NOTES_BYTES if label == "notes" else MAX_NAME_BYTES
        check_bytes(label, getattr(edits, label) or "", most)
    tags = [*edits.add_tags, *edits.remove_tags]
    if len(tags) > MAX_TAGS:
        raise InvalidQuery(f"{len(tags)} tags in one edit", hint=f"at most {MAX_TAGS}")
    for tag in tags:
        if not tag.strip():
            raise InvalidQuery("a tag is empty", hint="tags hold at least one letter")
        check_bytes("tag", tag, MAX_NAME_BYTES)
    both = set(edits.add_tags) & set(edits.remove_tags)
    if both:
        raise InvalidQuery(f"tag {min(both)!r} is both added and removed", hint="do one of the two")


def check_bytes(what: str, text: str, most: int) -> None:
    """Raise `InvalidQuery` for a text of more than `most` bytes."""
    size = len(text.encode())
    if size > most:
        raise InvalidQuery(f"{what} has {size} bytes", hint=f"at most {most}")


@dataclass(frozen=True, slots=True)
class Change:
    """One field that becomes another: its whole value, of tags a JSON list."""

    field: str
    before: str
    after: str

    def shown(self, value: str) -> str:
        """Return a value for the audit: at most 4 KiB of it."""
        raw = value.encode()
        if len(raw) <= _SHOWN_BYTES:
            return value
        return raw[: _SHOWN_BYTES - len(_CUT.encode())].decode(errors="ignore") + _CUT


def new_labels(run: Run, edits: Edits) -> dict[str, str]:
    """Return the labels that become something else."""
    wanted = {label: getattr(edits, label) for label in LABELS}
    return {
        label: text
        for label, text in wanted.items()
        if text is not None and text != getattr(run, label)
    }


def new_tags(run: Run, edits: Edits) -> dict[str, bool]:
    """Return the tags that come (True) and go (False)."""
    come = {tag: True for tag in edits.add_tags if tag not in run.tags}
    return come | {tag: False for tag in edits.remove_tags if tag in run.tags}


def changes(run: Run, edits: Edits) -> Iterator[Change]:
    """Yield what the edits change of a run as it stands; nothing where all is so already."""
    for label, text in new_labels(run, edits).items():
        yield Change(label, getattr(run, label), text)
    if turned := new_tags(run, edits):
        gone = {tag for tag, comes in turned.items() if not comes}
        after = sorted({*run.tags, *turned} - gone)
        yield Change("tags", _listed(run.tags), _listed(after))


def _listed(tags: tuple[str, ...] | list[str]) -> str:
    return json.dumps(list(tags), ensure_ascii=False)
