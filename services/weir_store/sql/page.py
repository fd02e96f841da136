"""The list of functions as docs/sql-limits.md shows it: `python -m weir_store.sql.page`."""

from __future__ import annotations

import sys

from weir_store.sql import functions
from weir_store.sql.types import TYPES


def page() -> str:
    """Return the generated part of the page."""
    lines = [
        f"- **{title}**: {', '.join(sorted(names, key=_folded))}"
        for title, names in functions.GROUPS.items()
    ]
    lines.append(f"- **endings of aggregates**: {', '.join(sorted(functions.COMBINATORS))}")
    lines.append(f"- **rows without a view**: {', '.join(sorted(functions.TABLES))}")
    lines.append(f"- **types**: {', '.join(sorted(TYPES, key=_folded))}")
    return "\n".join(lines) + "\n"


def _folded(name: str) -> tuple[str, str]:
    return name.lower(), name


if __name__ == "__main__":
    sys.stdout.write(page())
