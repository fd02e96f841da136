"""`system.tables` and its neighbours as the door knows them: the views, and nothing of the real ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from weir_server.sql_door.literals import Value, quoted, table_of
from weir_server.sql_door.settings import IGNORED, LIMITS, WRITING
from weir_store.sql.base import Limits
from weir_store.sql.quoting import name as name_of
from weir_store.views.catalog import View

Rows = Sequence[Mapping[str, Value]]

_DATABASES: Final = {"name": "String", "engine": "String", "data_path": "String", "uuid": "String",
                     "engine_full": "String", "comment": "String"}  # fmt: skip
_TABLES: Final = {
    "database": "String", "name": "String", "uuid": "String", "engine": "String",
    "is_temporary": "UInt8", "engine_full": "String", "create_table_query": "String",
    "as_select": "String", "partition_key": "String", "sorting_key": "String",
    "primary_key": "String", "sampling_key": "String", "storage_policy": "String",
    "total_rows": "Nullable(UInt64)", "total_bytes": "Nullable(UInt64)", "comment": "String",
    "has_own_data": "UInt8", "loading_dependencies_database": "String",
}  # fmt: skip
_COLUMNS: Final = {
    "database": "String", "table": "String", "name": "String", "type": "String",
    "position": "UInt64", "default_kind": "String", "default_expression": "String",
    "data_compressed_bytes": "UInt64", "data_uncompressed_bytes": "UInt64", "marks_bytes": "UInt64",
    "comment": "String", "is_in_partition_key": "UInt8", "is_in_sorting_key": "UInt8",
    "is_in_primary_key": "UInt8", "is_in_sampling_key": "UInt8", "compression_codec": "String",
    "character_octet_length": "Nullable(UInt64)", "numeric_precision": "Nullable(UInt64)",
    "numeric_precision_radix": "Nullable(UInt64)", "numeric_scale": "Nullable(UInt64)",
    "datetime_precision": "Nullable(UInt64)",
}  # fmt: skip
_SETTINGS: Final = {
    "name": "String", "value": "String", "changed": "UInt8", "description": "String",
    "min": "Nullable(String)", "max": "Nullable(String)", "readonly": "UInt8", "type": "String",
    "default": "String", "alias_for": "String", "is_obsolete": "UInt8", "tier": "String",
}  # fmt: skip
_FUNCTIONS: Final = {"name": "String", "is_aggregate": "UInt8", "case_insensitive": "UInt8",
                     "alias_to": "String", "create_query": "String", "origin": "String",
                     "description": "String"}  # fmt: skip
_SCHEMATA: Final = {"catalog_name": "String", "schema_name": "String", "schema_owner": "String"}
_INFORMATION_TABLES: Final = {"table_catalog": "String", "table_schema": "String",
                              "table_name": "String", "table_type": "String",
                              "table_comment": "String"}  # fmt: skip
_INFORMATION_COLUMNS: Final = {
    "table_catalog": "String", "table_schema": "String", "table_name": "String",
    "column_name": "String", "ordinal_position": "UInt64", "column_default": "String",
    "is_nullable": "String", "data_type": "String", "column_type": "String",
    "column_comment": "String",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What the door says of itself.

    Attributes:
        database: Where the views are, as SQL names it.
        views: What there is.
        functions: That SQL may call; name → whether it aggregates.
        limits: That statements run in.
        version: Of ClickHouse.
        timezone: Of ClickHouse; times of the views have their own.
        revision: Of ClickHouse.
    """

    database: str
    views: tuple[View, ...]
    functions: Mapping[str, bool]
    limits: Limits
    version: str
    timezone: str
    revision: int

    def table(self, schema: str, name: str) -> str | None:
        """Return a table of `system` or `information_schema` as a SELECT in brackets; None for others."""
        make = _KNOWN.get((schema.lower(), name.lower()))
        return make(self) if make else None

    def view(self, name: str) -> View | None:
        """Return the view of that name, if there is one."""
        return next((view for view in self.views if view.name == name), None)

    def create_statement(self, view: View) -> str:
        """Return how the view would be made, columns with their words; the SELECT behind it is ours."""
        columns = ",\n".join(
            f"    {name_of(c.name)} {c.type} COMMENT {quoted(c.words)}" for c in view.columns
        )
        return f"CREATE VIEW {self.database}.{view.name}\n(\n{columns}\n)\nCOMMENT {quoted(view.about)}"

    def databases(self) -> str:
        """Return `system.databases`."""
        return table_of(_DATABASES, [{"name": self.database, "engine": "Atomic"}])

    def tables(self) -> str:
        """Return `system.tables`."""
        rows: Rows = [
            {
                "database": self.database,
                "name": view.name,
                "engine": "View",
                "create_table_query": f"CREATE VIEW {self.database}.{view.name}",
                "comment": view.about,
            }
            for view in self.views
        ]
        return table_of(_TABLES, rows)

    def columns(self, only: str = "") -> str:
        """Return `system.columns`, of one view or of all."""
        rows: Rows = [
            {
                "database": self.database,
                "table": view.name,
                "name": column.name,
                "type": column.type,
                "position": position,
                "comment": column.words,
            }
            for view in self.views
            if only in ("", view.name)
            for position, column in enumerate(view.columns, 1)
        ]
        return table_of(_COLUMNS, rows)

    def settings(self) -> str:
        """Return `system.settings`: what a request may say."""
        limits = {name: f"{getattr(self.limits, field):.0f}" for name, field in LIMITS.items()}
        rows: Rows = [
            {"name": name, "value": value, "default": value, "type": "String"}
            for name, value in sorted({**WRITING, **IGNORED, **limits}.items())
        ]
        return table_of(_SETTINGS, rows)

    def known_functions(self) -> str:
        """Return `system.functions`: what SQL may call."""
        rows: Rows = [
            {"name": name, "is_aggregate": int(aggregates), "origin": "System"}
            for name, aggregates in sorted(self.functions.items())
        ]
        return table_of(_FUNCTIONS, rows)

    def one(self) -> str:
        """Return `system.one`."""
        return table_of({"dummy": "UInt8"}, [])

    def schemata(self) -> str:
        """Return `information_schema.schemata`."""
        row = {"catalog_name": self.database, "schema_name": self.database}
        return table_of(_SCHEMATA, [row])

    def information_tables(self) -> str:
        """Return `information_schema.tables`."""
        rows: Rows = [
            {
                "table_catalog": self.database,
                "table_schema": self.database,
                "table_name": view.name,
                "table_type": "VIEW",
                "table_comment": view.about,
            }
            for view in self.views
        ]
        return table_of(_INFORMATION_TABLES, rows)

    def information_columns(self) -> str:
        """Return `information_schema.columns`."""
        rows: Rows = [
            {
                "table_catalog": self.database,
                "table_schema": self.database,
                "table_name": view.name,
                "column_name": column.name,
                "ordinal_position": position,
                "is_nullable": "YES" if column.type.startswith("Nullable") else "NO",
                "data_type": column.type,
                "column_type": column.type,
                "column_comment": column.words,
            }
            for view in self.views
            for position, column in enumerate(view.columns, 1)
        ]
        return table_of(_INFORMATION_COLUMNS, rows)


_KNOWN: Final[Mapping[tuple[str, str], Callable[[Catalogue], str]]] = {
    ("system", "databases"): Catalogue.databases,
    ("system", "tables"): Catalogue.tables,
    ("system", "columns"): lambda known: known.columns(),
    ("system", "settings"): Catalogue.settings,
    ("system", "functions"): Catalogue.known_functions,
    ("system", "one"): Catalogue.one,
    ("information_schema", "schemata"): Catalogue.schemata,
    ("information_schema", "tables"): Catalogue.information_tables,
    ("information_schema", "columns"): Catalogue.information_columns,
}
