"""Writes a statement anew from its tree: what has no method here is not SQL that may run.

Every name is quoted, every string in its one form, every function of the list, and every table is
either a view, behind the project predicate of the asker, or a WITH of the statement's own, renamed
to what no table is called. So nothing of what runs is a stranger's text.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from sqlglot import exp

from weir_store.sql import functions, quoting, types
from weir_store.sql.base import Refused, Rights
from weir_store.sql.lexer import NUMBER
from weir_store.sql.reading import Parameter, Reading

_BINARY: Final[Mapping[type[exp.Expr], str]] = {
    exp.Add: "+", exp.Sub: "-", exp.Mul: "*", exp.Div: "/", exp.IntDiv: "DIV", exp.Mod: "%",
    exp.EQ: "=", exp.NEQ: "!=", exp.GT: ">", exp.GTE: ">=", exp.LT: "<", exp.LTE: "<=",
    exp.NullSafeEQ: "<=>", exp.And: "AND", exp.Or: "OR", exp.DPipe: "||", exp.Like: "LIKE",
    exp.ILike: "ILIKE", exp.Is: "IS",
}  # fmt: skip
_CALLED: Final[Mapping[type[exp.Expr], str]] = {
    exp.JSONExtract: "-> outside the arguments of a function",
    exp.Anonymous: "a function",
    exp.AnonymousAggFunc: "a function",
    exp.TableAlias: "the name of a table",
}
_SIDES: Final = ("PRECEDING", "FOLLOWING")


class Expressions:
    """Writes what has a value. `Writer` (queries.py) adds what has rows."""

    def __init__(
        self, reading: Reading, rights: Rights, database: str, views: frozenset[str]
    ) -> None:
        self._reading = reading
        self._rights = rights
        self._database = database
        self._views = views
        self.used_views: set[str] = set()
        self.used_parameters: dict[str, str] = {}

    def sql(self, node: object) -> str:
        """Write one node of the tree.

        Raises:
            Refused: It is no SQL that may run.
        """
        if not isinstance(node, exp.Expr):
            raise Refused("a construct that is not known here")
        if type(node) in _BINARY:
            return self._binary(node)
        write = getattr(self, f"_{type(node).__name__.lower()}", None)
        if write is None:
            raise Refused(
                f"{self._plainly(node)}{self._place(node)}", hint="see docs/sql-limits.md"
            )
        return str(write(node))

    def _list(self, nodes: Iterable[object]) -> str:
        return ", ".join(self.sql(node) for node in nodes)

    # ── stand-ins ──────────────────────────────────────────────────────────

    def _index(self, text: object, letter: str) -> int:
        """Return the token that a stand-in stands for."""
        written = str(text)
        digits = written.removeprefix(letter)
        if written[: len(letter)] != letter or not digits.isdecimal() or not digits.isascii():
            raise Refused("a value where a name belongs", hint="quote names with backticks")
        index = int(digits)
        if index >= len(self._reading.tokens):
            raise Refused("a name that is not known here")
        return index

    def _content(self, text: object, letter: str) -> str:
        return self._reading.tokens[self._index(text, letter)].text

    def _name_of(self, node: object) -> str:
        """Return the name an identifier stands for."""
        if not isinstance(node, exp.Identifier):
            raise Refused("something else where a name belongs")
        return self._content(node.this, "n")

    def _place(self, node: exp.Expr) -> str:
        """Say where a node stands, as far as it holds a name or a value."""
        for inner in node.walk():
            text = inner.args.get("this")
            if isinstance(text, str) and text.lstrip("nsfp").isdecimal():
                index = int(text.lstrip("nsfp"))
                if index < len(self._reading.tokens):
                    return f" {self._reading.place(index)}"
        return ""

    def _plainly(self, node: exp.Expr) -> str:
        known = _CALLED.get(type(node))
        return known or f"the construct {type(node).key or type(node).__name__}"

    def _only(self, node: exp.Expr, *known: str) -> None:
        """Refuse a node that says more than what is written of it."""
        for key, value in node.args.items():
            if key not in known and value not in (None, False, []):
                said = key.rstrip("_").upper()
                raise Refused(f"{said} in {self._plainly(node)}{self._place(node)}")

    # ── values ─────────────────────────────────────────────────────────────

    def _literal(self, node: exp.Expr) -> str:
        text = str(node.this)
        if text.startswith("s"):
            return quoting.string(self._content(text, "s"))
        token = self._reading.tokens[self._index(text, "")]
        if token.kind != NUMBER and token.text.lower() not in ("nan", "inf", "infinity"):
            raise Refused("a number that is none")
        return token.text

    def _identifier(self, node: exp.Expr) -> str:
        token = self._reading.tokens[self._index(node.this, "n")]
        return token.text if token.kind == NUMBER else quoting.name(token.text)

    def _null(self, _: exp.Expr) -> str:
        return "NULL"

    def _boolean(self, node: exp.Expr) -> str:
        return "true" if node.this else "false"

    def _placeholder(self, node: exp.Expr) -> str:
        name = node.this.name if isinstance(node.this, exp.Expr) else node.this
        parameter: Parameter = self._reading.parameters[self._index(name, "p")]
        known = self.used_parameters.setdefault(parameter.name, parameter.type)
        if known != parameter.type:
            raise Refused(
                f"the parameter {parameter.name} has two types: {known}, {parameter.type}"
            )
        return f"{{{parameter.name}:{parameter.type}}}"

    def _interval(self, node: exp.Expr) -> str:
        self._only(node, "this", "unit")
        unit = node.args.get("unit")
        return f"INTERVAL {self.sql(node.this)}" + (f" {unit.name.upper()}" if unit else "")

    def _array(self, node: exp.Expr) -> str:
        self._only(node, "expressions")
        return f"[{self._list(node.expressions)}]"

    def _tuple(self, node: exp.Expr) -> str:
        self._only(node, "expressions")
        if len(node.expressions) == 1:
            return f"tuple({self.sql(node.expressions[0])})"
        return f"({self._list(node.expressions)})" if node.expressions else "tuple()"

    def _paren(self, node: exp.Expr) -> str:
        self._only(node, "this")
        return f"({self.sql(node.this)})"

    def _bracket(self, node: exp.Expr) -> str:
        self._only(node, "this", "expressions")
        if len(node.expressions) != 1:
            raise Refused("[…] with more than one index")
        return f"{self.sql(node.this)}[{self.sql(node.expressions[0])}]"

    def _dot(self, node: exp.Expr) -> str:
        self._only(node, "this", "expression")
        return f"{self.sql(node.this)}.{self.sql(node.expression)}"

    def _column(self, node: exp.Expr) -> str:
        self._only(node, "this", "table", "db", "catalog")
        parts = [node.args[key] for key in ("catalog", "db", "table", "this") if node.args.get(key)]
        names = [self._name_of(part) for part in parts if isinstance(part, exp.Identifier)]
        if len(names) > 2 and names[0] == self._database and names[1] in self._views:
            parts = parts[1:]  # weir.metrics.value: the view stands in a subquery called metrics
        return ".".join(self.sql(part) for part in parts)

    def _star(self, node: exp.Expr) -> str:
        self._only(node, "except_", "replace", "except")
        left_out = node.args.get("except_") or node.args.get("except")
        replaced = node.args.get("replace")
        text = "*"
        if left_out:
            text += f" EXCEPT ({self._list(left_out)})"
        if replaced:
            text += f" REPLACE ({self._list(replaced)})"
        return text

    def _alias(self, node: exp.Expr) -> str:
        self._only(node, "this", "alias")
        return f"{self.sql(node.this)} AS {self.sql(node.args['alias'])}"

    # ── operators ──────────────────────────────────────────────────────────

    def _binary(self, node: exp.Expr) -> str:
        """Write a chain without recursion: `a AND b AND …` may have thousands of links."""
        pieces: list[str] = []
        while type(node) in _BINARY:
            self._only(node, "this", "expression", "typed", "safe", "negate")
            negated = "NOT " if node.args.get("negate") else ""
            pieces += [self.sql(node.expression), negated + _BINARY[type(node)]]
            node = node.this
        pieces.append(self.sql(node))
        return " ".join(reversed(pieces))

    def _neg(self, node: exp.Expr) -> str:
        return f"- {self.sql(node.this)}"

    def _not(self, node: exp.Expr) -> str:
        inner = node.this
        if isinstance(inner, exp.Is):
            self._only(inner, "this", "expression")
            return f"{self.sql(inner.this)} IS NOT {self.sql(inner.expression)}"
        if isinstance(inner, exp.In):
            return self._in(inner, "NOT IN")
        if isinstance(inner, exp.Between):
            return self._between(inner, "NOT BETWEEN")
        return f"NOT {self.sql(inner)}"

    def _between(self, node: exp.Expr, operator: str = "BETWEEN") -> str:
        self._only(node, "this", "low", "high")
        low, high = self.sql(node.args["low"]), self.sql(node.args["high"])
        return f"{self.sql(node.this)} {operator} {low} AND {high}"

    def _in(self, node: exp.Expr, operator: str = "IN") -> str:
        self._only(node, "this", "expressions", "query", "field")
        left = self.sql(node.this)
        query, field = node.args.get("query"), node.args.get("field")
        if query is not None:
            return f"{left} {operator} {self._in_query(query)}"
        if field is not None:
            return f"{left} {operator} {self._in_one(field)}"
        values = node.expressions
        if len(values) == 1:
            return f"{left} {operator} {self._in_one(values[0], bracketed=True)}"
        return f"{left} {operator} ({self._list(values)})"

    def _in_query(self, query: exp.Expr) -> str:
        raise NotImplementedError

    def _in_name(self, node: exp.Expr) -> str:
        raise NotImplementedError

    def _in_one(self, node: exp.Expr, *, bracketed: bool = False) -> str:
        """Write the one operand of IN: a name there would be a table, and brackets do not help."""
        while isinstance(node, exp.Paren):
            node, bracketed = node.this, True
        if isinstance(node, exp.Alias):
            raise Refused(f"AS on the right side of IN{self._place(node)}")
        if isinstance(node, (exp.Column, exp.Dot, exp.Identifier)):
            return self._in_name(node)
        return f"({self.sql(node)})" if bracketed else self.sql(node)

    def _if(self, node: exp.Expr) -> str:
        """Write `a ? b : c`."""
        self._only(node, "this", "true", "false")
        arguments = (node.this, node.args.get("true"), node.args.get("false"))
        return f"if({self._list(arguments)})"

    def _case(self, node: exp.Expr) -> str:
        self._only(node, "this", "ifs", "default")
        text = f"CASE {self.sql(node.this)}" if node.this else "CASE"
        for branch in node.args["ifs"]:
            self._only(branch, "this", "true")
            text += f" WHEN {self.sql(branch.this)} THEN {self.sql(branch.args['true'])}"
        default = node.args.get("default")
        return text + (f" ELSE {self.sql(default)} END" if default else " END")

    def _cast(self, node: exp.Expr) -> str:
        self._only(node, "this", "to")
        kind = node.args["to"]
        text = kind.expressions[0].this.this if kind.expressions else ""
        at = self._index(text, "")
        if at not in self._reading.types:
            raise Refused(f"a type that is not known here{self._place(node)}")
        written = self._reading.types[at]
        if at - 1 in self._reading.colons:
            return f"{self.sql(node.this)}::{written}"
        return f"CAST({self.sql(node.this)} AS {written})"

    # ── functions ──────────────────────────────────────────────────────────

    def _anonymous(self, node: exp.Expr) -> str:
        self._only(node, "this", "expressions", "params")
        at = self._index(node.this, "f")
        name = self._reading.tokens[at].text
        if not functions.is_allowed(name):
            meant = functions.alike(name)
            hint = f"did you mean {' or '.join(meant)}?" if meant else "see docs/sql-limits.md"
            raise Refused(f"the function {name} {self._reading.place(at)}", hint=hint)
        self._check_arguments(name, at, node.expressions)
        text = f"{name}({self._list(node.expressions)})"
        if node.args.get("params"):
            text += f"({self._list(node.args['params'])})"
        return text

    _anonymousaggfunc = _parameterizedagg = _anonymous

    def _check_arguments(self, name: str, at: int, arguments: list[exp.Expr]) -> None:
        """Look at strings that name something: a type, an aggregate function."""
        plain = name.lower()
        if plain in functions.TYPED and (len(arguments) > 1 or plain == "cast"):
            text = self._text_of(arguments[-1] if len(arguments) > 1 else None)
            if plain == "jsonextract" and text is None:
                raise Refused(
                    f"{name} without a type {self._reading.place(at)}",
                    hint="write JSONExtract(json, 'key', 'Type')",
                )
            if text is None:
                raise Refused(f"{name} to a type that is no plain string {self._reading.place(at)}")
            types.check_type(text)
        if plain in functions.NAMING_AN_AGGREGATE:
            text = self._text_of(arguments[0] if arguments else None)
            named = (text or "").partition("(")[0].strip()
            if not functions.is_aggregate(named):
                raise Refused(f"{name}({named[:40]!r}, …) {self._reading.place(at)}")

    def _text_of(self, node: exp.Expr | None) -> str | None:
        if isinstance(node, exp.Literal) and str(node.this).startswith("s"):
            return self._content(node.this, "s")
        return None

    def _distinct(self, node: exp.Expr) -> str:
        self._only(node, "expressions")
        return f"DISTINCT {self._list(node.expressions)}"

    def _lambda(self, node: exp.Expr) -> str:
        self._only(node, "this", "expressions")
        names = self._list(node.expressions)
        if len(node.expressions) != 1:
            names = f"({names})"
        return f"{names} -> {self.sql(node.this)}"

    def _filter(self, node: exp.Expr) -> str:
        self._only(node, "this", "expression")
        return f"{self.sql(node.this)} FILTER (WHERE {self.sql(node.expression.this)})"

    def _ignorenulls(self, node: exp.Expr) -> str:
        return f"{self.sql(node.this)} IGNORE NULLS"

    def _respectnulls(self, node: exp.Expr) -> str:
        return f"{self.sql(node.this)} RESPECT NULLS"

    # ── windows ────────────────────────────────────────────────────────────

    def _window(self, node: exp.Expr) -> str:
        self._only(node, "this", "partition_by", "order", "spec", "alias", "over")
        alias = node.args.get("alias")
        inside = self.window_inside(node)
        if alias and not inside:
            return f"{self.sql(node.this)} OVER {self.sql(alias)}"
        if alias:
            inside = f"{self.sql(alias)} {inside}"
        return f"{self.sql(node.this)} OVER ({inside})"

    def window_inside(self, node: exp.Expr) -> str:
        """Write what stands in the brackets of OVER or WINDOW."""
        parts = []
        if node.args.get("partition_by"):
            parts.append(f"PARTITION BY {self._list(node.args['partition_by'])}")
        if node.args.get("order"):
            parts.append(self.sql(node.args["order"]))
        if node.args.get("spec"):
            parts.append(self.sql(node.args["spec"]))
        return " ".join(parts)

    def _windowspec(self, node: exp.Expr) -> str:
        self._only(node, "kind", "start", "start_side", "end", "end_side")
        if node.args.get("kind") not in ("ROWS", "RANGE"):
            raise Refused("a frame that is neither ROWS nor RANGE")
        start, end = self._bound(node, "start"), self._bound(node, "end")
        if not end:
            return f"{node.args['kind']} {start}"
        return f"{node.args['kind']} BETWEEN {start} AND {end}"

    def _bound(self, node: exp.Expr, key: str) -> str:
        value, side = node.args.get(key), node.args.get(f"{key}_side")
        if value == "CURRENT ROW" or value is None:
            return value or ""
        if side not in _SIDES:
            raise Refused("a frame of rows without its side")
        return f"{'UNBOUNDED' if value == 'UNBOUNDED' else self.sql(value)} {side}"

    def _order(self, node: exp.Expr) -> str:
        self._only(node, "expressions")
        return f"ORDER BY {self._list(node.expressions)}"

    def _ordered(self, node: exp.Expr) -> str:
        self._only(node, "this", "desc", "nulls_first", "with_fill")
        text = "ALL" if self._is_all(node.this) else self.sql(node.this)
        text += " DESC" if node.args.get("desc") else ""
        text += " NULLS FIRST" if node.args.get("nulls_first") else ""
        fill = node.args.get("with_fill")
        return text + (self.sql(fill) if fill else "")

    def _is_all(self, node: exp.Expr) -> bool:
        """Whether this is the bare word ALL, which sqlglot takes for a column."""
        if not isinstance(node, exp.Column) or node.args.get("table"):
            return False
        return self._reading.tokens[self._index(node.this.this, "n")].upper == "ALL"

    def _withfill(self, node: exp.Expr) -> str:
        self._only(node, "from_", "to", "step")
        text = " WITH FILL"
        for key, word in (("from_", "FROM"), ("to", "TO"), ("step", "STEP")):
            if node.args.get(key):
                text += f" {word} {self.sql(node.args[key])}"
        return text
