"""docs/sdk.md lists the settings that there are."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

from weir import Settings

PAGE = Path(__file__).parents[2] / "docs/sdk.md"
MARK = "<!-- settings -->\n"


def settings_table() -> str:
    rows = "".join(
        f"| `{field.name}` | `WEIR_{field.name.upper()}` | {shown(field.default)} | {field.metadata['help']} |\n"
        for field in fields(Settings)
        if field.name != "sources"
    )
    return f"\n| setting | variable | default | what |\n|---|---|---|---|\n{rows}"


def shown(default: object) -> str:
    return f"`{default}`" if default not in ("", ()) else "–"


def test_the_settings_table_is_current() -> None:
    page = PAGE.read_text()
    assert page.partition(MARK)[2] == settings_table(), "the table at the end of docs/sdk.md"


if __name__ == "__main__":
    head = PAGE.read_text().partition(MARK)[0]
    PAGE.write_text(head + MARK + settings_table())
