"""SELECT, UNION, WITH, FROM and JOIN: where rows come from, and whose rows they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from sqlglot import exp

from weir_store.sql import functions, quoting
from weir_store.sql.base import Refused, Rights
from weir_store.sql.grammar import LIMIT_BY
from weir_store.sql.reading import Reading
from weir_store.sql.writing import Expressions

_SET_OPERATORS: Final[Mapping[type[exp.Expr], str]] = {
    exp.Union: "UNION",
    exp.Intersect: "INTERSECT",
    exp.Except: "EXCEPT",
}
_SELECT_KEYS: Final = (
    "with_", "kind", "expressions", "distinct", "from_", "joins", "where", "group", "having",
    "windows", "qualify", "order", LIMIT_BY, "limit", "offset",
)  # fmt: skip
_ENDING_KEYS: Final = ("order", LIMIT_BY, "limit", "offset")
_JOIN_KINDS: Final = frozenset(
    ["", "INNER", "OUTER", "CROSS", "ANY", "ALL", "ASOF", "SEMI", "ANTI", "PASTE"]
)
_JOIN_SIDES: Final = frozenset(["", "LEFT", "RIGHT", "FULL", "INNER"])
_WITH: Final = "weir with {} {}"  # what a WITH is called in the end: no table is called so
_VIEW: Final = quoting.name("weir view")  # … and a view, so that no alias can stand for its column
_ALL: Final = (1 << 63) - 1
_PROJECT: Final = f"{_VIEW}.{quoting.name('project')}"


class Writer(Expressions):
    """Writes a whole statement."""

    def __init__(
        self,
        reading: Reading,
        rights: Rights,
        database: str,
        views: frozenset[str],
        *,
        walled: bool = False,
    ) -> None:
        super().__init__(reading, rights, database, views)
        self._walled = walled
        self._withs: dict[str, str] = {}  # the names of WITH in sight → what they are called
        self._numbered = 0

    def statement(self, node: exp.Expr) -> str:
        """Write the statement."""
        if not isinstance(node, (exp.Select, exp.SetOperation, exp.Subquery)):
            raise Refused(self._plainly(node), hint="a statement is one SELECT")
        return self.sql(node)

    # ── queries ────────────────────────────────────────────────────────────

    def _select(self, node: exp.Expr) -> str:
        self._only(node, *_SELECT_KEYS)
        if node.args.get("kind"):
            raise Refused(f"SELECT AS {node.args['kind']}")
        with self._with_of(node) as head:
            parts = [head, "SELECT"]
            distinct = node.args.get("distinct")
            if distinct:
                parts.append(self._distinct_rows(distinct))
            if not node.expressions:
                raise Refused("a SELECT without columns", hint="write SELECT *")
            parts.append(self._list(node.expressions))
            if node.args.get("from_"):
                parts.append(f"FROM {self._source(node.args['from_'].this)}")
            parts += [self._join_text(join) for join in node.args.get("joins") or ()]
            parts += [
                self.sql(node.args[key])
                for key in ("where", "group", "having")
                if node.args.get(key)
            ]
            if node.args.get("windows"):
                named = [
                    f"{self.sql(w.this)} AS ({self.window_inside(w)})" for w in node.args["windows"]
                ]
                parts.append(f"WINDOW {', '.join(named)}")
            if node.args.get("qualify"):
                parts.append(self.sql(node.args["qualify"]))
            return " ".join(filter(None, [*parts, self._ending(node)]))

    def _distinct_rows(self, node: exp.Expr) -> str:
        self._only(node, "on")
        on = node.args.get("on")
        return f"DISTINCT ON ({self._list(on.expressions)})" if on else "DISTINCT"

    def _ending(self, node: exp.Expr) -> str:
        """Write ORDER BY, LIMIT BY, LIMIT and OFFSET of a SELECT or a UNION."""
        parts = [self.sql(node.args["order"])] if node.args.get("order") else []
        if limit_by := node.args.get(LIMIT_BY):
            self._only(limit_by, "expression", "expressions", "offset")
            skip = limit_by.args.get("offset")
            first = f"{self.sql(skip)}, " if skip else ""
            parts.append(
                f"LIMIT {first}{self.sql(limit_by.expression)} BY {self._list(limit_by.expressions)}"
            )
        if limit := node.args.get("limit"):
            parts.append(self.sql(limit))
        if offset := node.args.get("offset"):
            self._only(offset, "expression")
            parts.append(f"OFFSET {self.sql(offset.expression)}")
        return " ".join(parts)

    def _limit(self, node: exp.Expr) -> str:
        self._only(node, "expression", "limit_options")
        text = f"LIMIT {self.sql(node.expression)}"
        options = node.args.get("limit_options")
        if options is None:
            return text
        self._only(options, "with_ties")
        return f"{text} WITH TIES"

    def _union(self, node: exp.Expr) -> str:
        """Write a chain of set operations without recursion."""
        self._only(node, "with_", "this", "expression", "distinct", *_ENDING_KEYS)
        with self._with_of(node) as head:
            endings = self._ending(node)
            pieces: list[str] = []
            while isinstance(node, exp.SetOperation):
                if pieces:
                    self._only(node, "this", "expression", "distinct")
                pieces += [self._operand(node.expression), self._operator(node)]
                node = node.this
            pieces.append(self._operand(node))
            return " ".join(filter(None, [head, *reversed(pieces), endings]))

    _intersect = _except = _union

    def _operator(self, node: exp.Expr) -> str:
        distinct = node.args.get("distinct")
        word = _SET_OPERATORS[type(node)]
        if distinct:
            return f"{word} DISTINCT"
        return f"{word} ALL" if distinct is False and word == "UNION" else word

    def _operand(self, node: exp.Expr) -> str:
        if not isinstance(node, (exp.Select, exp.Subquery, exp.SetOperation)):
            raise Refused("a set operation over something that is no SELECT")
        return self.sql(node)

    def _subquery(self, node: exp.Expr) -> str:
        """Write `(SELECT …)` where a value or an operand of UNION belongs."""
        self._only(node, "this")
        if not isinstance(node.this, (exp.Select, exp.SetOperation, exp.Subquery)):
            raise Refused("brackets around something that is no SELECT")
        return f"({self.sql(node.this)})"

    def _exists(self, node: exp.Expr) -> str:
        self._only(node, "this")
        if not isinstance(node.this, (exp.Select, exp.SetOperation)):
            raise Refused("EXISTS of something that is no SELECT", hint="write EXISTS (SELECT …)")
        return f"EXISTS ({self.sql(node.this)})"

    def _where(self, node: exp.Expr) -> str:
        return f"WHERE {self.sql(node.this)}"

    def _having(self, node: exp.Expr) -> str:
        return f"HAVING {self.sql(node.this)}"

    def _qualify(self, node: exp.Expr) -> str:
        return f"QUALIFY {self.sql(node.this)}"

    def _group(self, node: exp.Expr) -> str:
        self._only(node, "expressions", "all", "totals", "rollup", "cube")
        parts = [self.sql(each) for each in node.expressions]
        if node.args.get("all"):
            parts.append("ALL")
        text = f"GROUP BY {', '.join(parts)}" if parts else ""
        for key in ("rollup", "cube"):
            for each in node.args.get(key) or ():
                self._only(each)
                text += f" WITH {key.upper()}"
        return text + (" WITH TOTALS" if node.args.get("totals") else "")

    def _rollup(self, node: exp.Expr) -> str:
        self._only(node, "expressions")
        return f"ROLLUP({self._list(node.expressions)})"

    def _cube(self, node: exp.Expr) -> str:
        self._only(node, "expressions")
        return f"CUBE({self._list(node.expressions)})"

    def _groupingsets(self, node: exp.Expr) -> str:
        self._only(node, "expressions")
        sets = [each if isinstance(each, exp.Tuple) else [each] for each in node.expressions]
        return f"GROUPING SETS ({', '.join(self._grouping_set(each) for each in sets)})"

    def _grouping_set(self, columns: exp.Tuple | list[exp.Expr]) -> str:
        if isinstance(columns, exp.Tuple):
            return f"({self._list(columns.expressions)})"
        return f"({self._list(column.unnest() for column in columns)})"

    # ── WITH ───────────────────────────────────────────────────────────────

    @contextmanager
    def _with_of(self, node: exp.Expr) -> Iterator[str]:
        """Write the WITH of a query, and keep its names in sight while the query is written."""
        before = self._withs
        clause = node.args.get("with_")
        if clause is None:
            yield ""
            return
        self._only(clause, "expressions", "recursive")
        self._withs = dict(before)
        try:
            recursive = bool(clause.args.get("recursive"))
            written = [self._with(each, recursive=recursive) for each in clause.expressions]
            yield f"WITH {'RECURSIVE ' if recursive else ''}{', '.join(written)}"
        finally:
            self._withs = before

    def _with(self, node: exp.Expr, *, recursive: bool) -> str:
        self._only(node, "this", "alias", "scalar")
        alias = node.args["alias"]
        self._only(alias, "this")
        name = self._name_of(alias.this)
        if node.args.get("scalar"):
            return f"{self.sql(node.this)} AS {quoting.name(name)}"
        self._numbered += 1
        own = _WITH.format(self._numbered, name)
        if recursive:
            self._withs[name] = own  # it may speak of itself
        if not isinstance(node.this, (exp.Select, exp.SetOperation, exp.Subquery)):
            raise Refused(f"WITH {name} AS (…) of something that is no SELECT")
        written = self.sql(node.this)
        self._withs[name] = own
        return f"{quoting.name(own)} AS ({written})"

    # ── sources of rows ────────────────────────────────────────────────────

    def _source(self, node: exp.Expr) -> str:
        if isinstance(node, exp.Table):
            return self._table(node)
        if isinstance(node, exp.Subquery):
            self._only(node, "this", "alias")
            if not isinstance(node.this, (exp.Select, exp.SetOperation, exp.Subquery)):
                raise Refused("brackets around something that is no SELECT")
            return f"({self.sql(node.this)}){self._as(node)}"
        if isinstance(node, exp.Final):
            raise Refused("FINAL", hint="leave FINAL out: the views show every point once")
        raise Refused(f"rows from {self._plainly(node)}{self._place(node)}")

    def _table(self, node: exp.Expr) -> str:
        self._only(node, "this", "db", "catalog", "alias")
        if not isinstance(node.this, exp.Identifier):
            return self._table_function(node)
        name = self._name_of(node.this)
        database = self._name_of(node.args["db"]) if node.args.get("db") else ""
        if node.args.get("catalog"):
            raise Refused(f"a table of three names{self._place(node)}")
        alias = self._as(node) or f" AS {quoting.name(name)}"
        if not database and name in self._withs:
            return quoting.name(self._withs[name]) + alias
        return f"{self._view(name, database, node)}{alias}"

    def _view(self, name: str, database: str, node: exp.Expr) -> str:
        """Write a view as the asker may see it."""
        if (database and database != self._database) or name not in self._views:
            full = f"{database}.{name}" if database else name
            raise Refused(
                f"the table {full}{self._place(node)}",
                hint=f"the views are {', '.join(sorted(self._views))}",
            )
        self.used_views.add(name)
        view = f"{quoting.name(self._database)}.{quoting.name(name)}"
        if self._rights.projects is None:
            return view
        mine = quoting.strings(self._rights.projects)
        wall = f" LIMIT {_ALL}" if self._walled else ""
        return f"(SELECT * FROM {view} AS {_VIEW} WHERE {_PROJECT} IN {mine}{wall})"

    def _table_function(self, node: exp.Expr) -> str:
        call = node.this
        if node.args.get("db") or not isinstance(call, (exp.Anonymous, exp.AnonymousAggFunc)):
            raise Refused(f"rows from {self._plainly(call)}{self._place(node)}")
        self._only(call, "this", "expressions")
        at = self._index(call.this, "f")
        name = self._reading.tokens[at].text
        if name not in functions.TABLES:
            raise Refused(
                f"the table function {name} {self._reading.place(at)}",
                hint=f"of table functions there are {', '.join(sorted(functions.TABLES))}",
            )
        return f"{name}({self._list(call.expressions)}){self._as(node)}"

    def _as(self, node: exp.Expr) -> str:
        alias = node.args.get("alias")
        if alias is None:
            return ""
        self._only(alias, "this")
        return f" AS {quoting.name(self._name_of(alias.this))}"

    def _join_text(self, node: exp.Expr) -> str:
        self._only(node, "this", "on", "using", "side", "kind", "expressions")
        side, kind = str(node.args.get("side") or ""), str(node.args.get("kind") or "")
        if kind == "ARRAY":
            return self._array_join(node, side)
        if kind not in _JOIN_KINDS or side not in _JOIN_SIDES or node.args.get("expressions"):
            raise Refused(f"{side} {kind} JOIN{self._place(node)}")
        words = [word for word in (kind, side) if word not in ("", "OUTER")]
        text = " ".join([*words, "JOIN", self._source(node.this)])
        if node.args.get("on"):
            text += f" ON {self.sql(node.args['on'])}"
        if node.args.get("using"):
            text += f" USING ({self._list(node.args['using'])})"
        return text

    def _array_join(self, node: exp.Expr, side: str) -> str:
        self._only(node, "this", "side", "kind", "expressions")
        if side not in ("", "LEFT"):
            raise Refused(f"{side} ARRAY JOIN{self._place(node)}")
        arrays = [node.this, *(node.args.get("expressions") or ())]
        return f"{side} ARRAY JOIN {self._list(arrays)}".strip()

    # ── the right side of IN ───────────────────────────────────────────────

    def _in_query(self, query: exp.Expr) -> str:
        if isinstance(query, exp.Subquery):
            return self._subquery(query)
        if isinstance(query, (exp.Select, exp.SetOperation)):
            return f"({self.sql(query)})"
        return self._in_one(query, bracketed=True)

    def _in_name(self, node: exp.Expr) -> str:
        """`x IN name`: the name of a WITH; any other would be a table."""
        single = isinstance(node, exp.Column) and isinstance(node.this, exp.Identifier)
        if single and not node.args.get("table"):
            name = self._name_of(node.this)
            if name in self._withs:
                return f"(SELECT * FROM {quoting.name(self._withs[name])})"
        raise Refused(
            f"a name on the right side of IN{self._place(node)}",
            hint="write IN (SELECT …) for rows, has(array, x) for an array, x = y for one value",
        )
