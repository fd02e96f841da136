"""What a view is, to people and to the gate: names, types, units and words, said once.

docs/sql.md is checked against it, `weir sql --schema` and the dashboard show it, and the gate
(weir_store/sql/gate.py) lets SQL see these views and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a view.

    Attributes:
        name: As SQL says it.
        type: As ClickHouse says it, e.g. `DateTime64(6, 'UTC')`.
        unit: Of the values; "" where they have none.
        about: One sentence.
    """

    name: str
    type: str
    about: str
    unit: str = ""


@dataclass(frozen=True, slots=True)
class View:
    """One view. Every view has the column `project`: that is how rights are kept.

    Attributes:
        name: As SQL says it, without a database.
        about: What one row is, and what is not in it.
        columns: In their order.
        example: A SELECT that works on every Weir.
    """

    name: str
    about: str
    columns: tuple[Column, ...]
    example: str
