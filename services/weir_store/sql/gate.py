"""The gate: of what people write, only one SELECT over the views comes through, written anew.

    text → lexer (strings and names decoded) → reading (stand-ins) → grammar (sqlglot: the shape)
         → writing, queries (allow-lists; views behind the asker's projects) → what runs

Pure: no clock, no I/O. It trusts nobody's text and asks for no reader of it to agree with it:
what runs holds only grammar, numbers, listed functions, and names and strings in quotes.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from weir_store.sql.base import Refused, Rights
from weir_store.sql.grammar import shape
from weir_store.sql.queries import Writer
from weir_store.sql.reading import read

MOST_WRITTEN: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Admitted:
    """A statement that may run.

    Attributes:
        sql: What to run: one SELECT without FORMAT and SETTINGS.
        views: The views it reads.
        parameters: The parameters it needs: name → type.
    """

    sql: str
    views: frozenset[str]
    parameters: Mapping[str, str]

    def values_of(self, given: Mapping[str, Any], hint: str = "give {} a value") -> dict[str, Any]:
        """Return the values that the statement names, no other. Raises `Refused` without one of them.

        Args:
            given: Values by name.
            hint: How to give one, `{}` for its name.
        """
        missing = sorted(self.parameters.keys() - given.keys())
        if missing:
            raise Refused(
                f"the parameter {{{missing[0]}:{self.parameters[missing[0]]}}} without a value",
                hint=hint.format(missing[0]),
            )
        return {name: given[name] for name in self.parameters}


def admit(
    text: str,
    rights: Rights,
    *,
    database: str,
    views: Collection[str],
    walled: bool = False,
) -> Admitted:
    """Let a statement through, or say why not.

    Args:
        text: What somebody wrote.
        rights: The projects whose rows it may see.
        database: Where the views are; a statement may name it or leave it out.
        views: Names of views; each has the column `project`.
        walled: Put a LIMIT that never ends behind the predicate on the project. No condition of the
            statement passes it, so none sees a row of others, whatever ClickHouse makes of the rest;
            but none helps it to find rows either.

    Raises:
        Refused: It names the construct, the place, and where there is one, the way round.
    """
    reading = read(text)
    tree = shape(reading)
    writer = Writer(reading, rights, database, frozenset(views), walled=walled)
    try:
        sql = writer.statement(tree)
    except RecursionError:
        raise Refused("the statement is nested too deeply") from None
    if len(sql) > MOST_WRITTEN:
        raise Refused("the statement is too long once the projects are in it")
    return Admitted(sql, frozenset(writer.used_views), dict(writer.used_parameters))
