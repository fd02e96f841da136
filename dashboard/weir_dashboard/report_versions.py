"""What changed between two versions of a report. Pure."""

from __future__ import annotations

import difflib
from typing import Final

from weir_store.documents.records import Document

_LONGEST: Final = 2_000


def diff(before: Document, after: Document) -> list[str]:
    """Return what changed between two versions, as lines of a unified diff."""
    found = list(
        difflib.unified_diff(
            before.body.splitlines(),
            after.body.splitlines(),
            f"version {before.version} by {before.by}",
            f"version {after.version} by {after.by}",
            lineterm="",
        )
    )
    more = len(found) - _LONGEST
    return [*found[:_LONGEST], *([f"… {more:,} more lines"] if more > 0 else [])]
