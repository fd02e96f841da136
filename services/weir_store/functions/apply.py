"""Making the functions: safe to repeat, and to run in two places at once."""

from __future__ import annotations

import re
from importlib import resources
from typing import Final

from weir_store.clickhouse import ClickHouse
from weir_store.functions import FUNCTIONS

_COMMENT_LINE: Final = re.compile(r"^[ \t]*--.*\n", re.MULTILINE)


def apply_functions(clickhouse: ClickHouse, cluster: str = "") -> None:
    """Make or replace every function.

    Args:
        clickhouse: A user who may create functions.
        cluster: Cluster name for ON CLUSTER; empty = one server.
    """
    on_cluster = f" ON CLUSTER '{cluster}'" if cluster else ""
    for name in FUNCTIONS:
        clickhouse.command(f"CREATE OR REPLACE FUNCTION {name}{on_cluster} AS {body_of(name)}")


def body_of(name: str) -> str:
    """Return a function's lambda, without the comments above it."""
    text = resources.files("weir_store").joinpath("functions", f"{name}.sql").read_text("utf-8")
    return _COMMENT_LINE.sub("", text).strip()
