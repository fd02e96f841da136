"""Making the views: one SELECT a file, made anew by every `weir migrate`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import resources
from string import Template
from typing import Final

from weir_store.clickhouse import ClickHouse
from weir_store.views.catalog import VIEWS, View
from weir_store.views.parts import parts

_FILE_NAME: Final = re.compile(r"\d\d_(?P<view>\w+)\.sql")
_COMMENT_LINE: Final = re.compile(r"^[ \t]*--.*\n", re.MULTILINE)


def apply_views(clickhouse: ClickHouse, database: str, cluster: str = "") -> None:
    """Make or replace every view; safe to repeat, and to run in two places at once.

    A view runs with the rights of whoever made it: people need none on the tables.

    Args:
        clickhouse: A user who may create databases and views.
        database: Where the views go; their tables are in `<database>_raw`.
        cluster: Cluster name for ON CLUSTER; empty = one server.
    """
    on_cluster = f"ON CLUSTER '{cluster}'" if cluster else ""
    clickhouse.command(f"CREATE DATABASE IF NOT EXISTS {database} {on_cluster}")
    by_name = {view.name: view for view in VIEWS}
    for name, select in selects(database):
        clickhouse.command(_statement(by_name[name], select, database, on_cluster))


def selects(database: str) -> Iterator[tuple[str, str]]:
    """Yield each view's name and SELECT, in the order in which they build on each other."""
    values = parts(database)
    folder = resources.files("weir_store").joinpath("views", "sql")
    for file in sorted(folder.iterdir(), key=lambda file: file.name):
        if found := _FILE_NAME.fullmatch(file.name):
            text = _COMMENT_LINE.sub("", file.read_text("utf-8"))
            yield found["view"], Template(text).substitute(values)


def _statement(view: View, select: str, database: str, on_cluster: str) -> str:
    columns = ", ".join(
        f"`{column.name}` {column.type} COMMENT {_text(column.words)}" for column in view.columns
    )
    return f"""CREATE OR REPLACE VIEW {database}.{view.name} {on_cluster} ({columns})
DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
{select}
COMMENT {_text(view.about)}"""


def _text(words: str) -> str:
    escaped = words.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
