"""The reference in docs/sql.md: `python -m weir_store.views.page` prints it, a test compares it with the page."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator

from weir_store.views.catalog import VIEWS, View


def reference(views: Iterable[View] = VIEWS) -> str:
    """Return a section for each view: what a row is, its columns, an example."""
    return "\n".join(line for view in views for line in _section(view)).rstrip() + "\n"


def _section(view: View) -> Iterator[str]:
    yield f"### {view.name}"
    yield ""
    yield view.about
    yield ""
    yield "| column | type | unit | meaning |"
    yield "|---|---|---|---|"
    for column in view.columns:
        yield f"| `{column.name}` | `{column.type}` | {column.unit} | {column.about} |"
    yield ""
    yield "```sql"
    yield view.example
    yield "```"
    yield ""


if __name__ == "__main__":
    sys.stdout.write(reference())
