"""Panels of a report, filled: the same for the page and for the file that is taken away.

A panel that cannot be filled (a run that was deleted, a statement that is refused, a silent store)
says why in its place; the others go on.
"""

from __future__ import annotations

import fnmatch
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qs, urlencode, urlsplit

import pandas as pd
import pyarrow as pa

from weir_dashboard import (
    answer_chart,
    answer_table,
    charts,
    data,
    documents,
    run_table,
    selection,
    statement,
    words,
)
from weir_dashboard.answer_chart import Drawn
from weir_dashboard.media_points import Shown, shown_at, steps_of
from weir_dashboard.report_markdown import Panel
from weir_dashboard.selection import ChartView, Selection
from weir_store.errors import InvalidQuery, StoreError, UnknownRun
from weir_store.records import Reduce, Run, RunQuery, RunRef, SeriesQuery, XAxis

CHARTS_AT_FIRST: Final = 12
"""A chart panel that names no metric shows so many, and says of how many."""

ROWS_AT_FIRST: Final = 20
MOST_ROWS: Final = 500
_MOST_NAMES: Final = 1_000
_ANSWER_S: Final = 30.0
_MICROSECONDS: Final = 1_000_000
_OFFLINE_POINTS: Final = 1_024
"""Points per curve in a file: as many as a wide screen has places for."""


@dataclass(frozen=True, slots=True)
class Filled:
    """What a panel shows. Of figure, rows, facts and media at most one is there, SQL apart.

    Attributes:
        panel: The block.
        title: Above it; "" = none.
        notes: What has to be said: what is cut, what is not there any more.
        error: Why it shows nothing; "" = it does.
        address: The page that shows the same, or "".
        figure: What figure.js draws (charts.wall_spec, and `search`).
        rows: A table.
        answer: Of a statement that is drawn, what `draw` takes.
        drawn: How: kind, x, y, colour; "" = chosen.
        facts: Of a run: name → text.
        media: Values, and whose project their bytes lie in.
    """

    panel: Panel
    title: str = ""
    notes: tuple[str, ...] = ()
    error: str = ""
    address: str = ""
    figure: Mapping[str, Any] | None = None
    rows: pd.DataFrame | None = None
    answer: pa.Table | None = None
    drawn: tuple[str, str, str, str] | None = None
    facts: Mapping[str, str] = field(default_factory=dict)
    media: tuple[Shown, ...] = ()
    project: str = ""


def fill(panel: Panel) -> Filled:
    """Ask what a panel wants to know; never raises for what the store or the author did."""
    try:
        return _FILLERS[panel.kind](panel)
    except StoreError as error:
        return Filled(panel, panel.one("title"), error=str(error))


def query_of(text: str) -> dict[str, list[str]]:
    """Read a query string, with or without an address before it; `?v=` is put in its place."""
    text = text.strip()
    parts = urlsplit(text)
    said = parts.query if "?" in text else text.lstrip("?")
    query = parse_qs(said)
    wanted = query.pop(documents.KEY, [""])[-1]
    if not wanted:
        return query
    found = data.ask().documents.short(wanted)
    view = documents.read_view(found.body) if found is not None else None
    if view is None:
        raise InvalidQuery("the view of this address was deleted, or has expired")
    return view.keys | query


# ── charts ───────────────────────────────────────────────────────────────────


def _chart(panel: Panel) -> Filled:
    query = query_of(panel.value)
    asked = selection.parse(query)
    runs, total, drawn, notes = _runs(asked)
    if not runs:
        return Filled(panel, panel.one("title"), tuple(notes), error="no run matches")
    refs = [run.ref for run in runs]
    metrics, more = _metrics(panel, asked.chart, refs)
    notes += more
    if query.get("g"):
        notes.append("a report draws runs, not groups")
    spec = charts.wall_spec(
        runs,
        total,
        data.ask().metrics(refs, limit=1).value,
        data.ask().ordinals(refs),
        drawn=drawn,
        now_unix_s=time.time(),
        rail=False,
    )
    search = urlencode(query, doseq=True)
    figure = {
        **spec,
        "metrics": [{"name": name} for name in metrics],
        "search": search,
        "height": _whole(panel.one("height"), 120, 800),
    }
    seen = len(drawn_ids(figure))
    if seen < total:
        notes.append(f"{seen:,} of {words.count(total, 'run')} drawn")
    error = "" if metrics else "no metric of these runs matches"
    return Filled(
        panel, panel.one("title"), tuple(notes), error, f"/workspace?{search}", figure=figure
    )


def _runs(asked: Selection) -> tuple[list[Run], int, int, list[str]]:
    """Return runs, how many match, how many are drawn unless said otherwise, and notes."""
    if not asked.runs:
        if not asked.project:
            raise InvalidQuery("no project is named", hint="project=… or run=project/id")
        query = RunQuery(asked.project, asked.where, limit=charts.LISTED, columns=())
        page = data.ask().runs(query).value
        return list(page.runs), page.total, charts.DRAWN_AT_FIRST, []
    found, notes = [], []
    for ref in asked.runs:
        try:
            found.append(data.ask().run(ref).value)
        except UnknownRun:
            notes.append(f"{selection.format_ref(ref)} is not there any more")
    return found, len(found), len(found), notes


def _metrics(panel: Panel, view: ChartView, refs: Sequence[RunRef]) -> tuple[list[str], list[str]]:
    """Return the names to draw, and what to say about those that are not."""
    named = list(panel.options.get("metric", ()))
    if named:
        return named, []
    page = data.ask().metrics(refs, limit=_MOST_NAMES).value
    names = [each.name for each in page.metrics if matches(each.name, view.metrics)]
    kept = names[:CHARTS_AT_FIRST]
    if len(names) > len(kept):
        return kept, [f"{len(kept)} of {len(names):,} metrics drawn: name them with `metric:`"]
    return kept, []


def matches(name: str, search: str) -> bool:
    """Does the name hold every word, or fit the glob? As component/assets/sections.js has it."""
    text, low = search.strip().lower(), name.lower()
    if "*" in text or "?" in text:
        return fnmatch.fnmatchcase(low, text.replace("[", "[[]"))
    return all(word in low for word in text.split())


def drawn_ids(figure: Mapping[str, Any]) -> list[str]:
    """Return the runs a figure draws, as component/assets/drawn.js has it."""
    query = parse_qs(str(figure["search"]))
    show, hide = set(query.get("show", ())), set(query.get("hide", ()))
    every = query.get("all", [""])[-1] == "1"
    ours = {*query.get("pin", ()), *query.get("base", ())}
    return [
        run["id"]
        for place, run in enumerate(figure["runs"])
        if (
            run["id"] not in hide
            if every or run["id"] in ours or place < figure["drawn"]
            else run["id"] in show
        )
    ]


def series_of(figure: Mapping[str, Any], metric: str) -> SeriesQuery:
    """Return the question of one chart, for a file that cannot ask again."""
    view = selection.parse(parse_qs(str(figure["search"]))).chart
    wide = any(run["ranks"] > 1 for run in figure["runs"])
    unit = _MICROSECONDS if view.x in (XAxis.TIME, XAxis.RELATIVE) else 1
    low, high = view.window or (None, None)
    refs = (selection.parse_ref(one) for one in drawn_ids(figure))
    return SeriesQuery(
        runs=tuple(ref for ref in refs if ref is not None),
        metrics=(metric,),
        max_points=_OFFLINE_POINTS,
        x=view.x,
        x_metric=view.x_metric,
        reduce=Reduce.RANKS if wide and not view.each_rank else Reduce.NONE,
        x_min=None if low is None else low * unit,
        x_max=None if high is None else high * unit,
    )


# ── tables, statements, runs, media ──────────────────────────────────────────


def _table(panel: Panel) -> Filled:
    query = query_of(panel.value)
    asked = selection.parse(query)
    limit = _whole(panel.one("limit"), 1, MOST_ROWS) or ROWS_AT_FIRST
    notes: list[str] = []
    if asked.runs:
        runs, total, _, notes = _runs(asked)
        runs = runs[:limit]
    elif asked.project:
        query_of_runs = RunQuery(
            asked.project, asked.where, asked.order_by, limit, columns=asked.columns or None
        )
        page = data.ask().runs(query_of_runs).value
        runs, total = list(page.runs), page.total
    else:
        raise InvalidQuery("no project is named", hint="project=… or run=project/id")
    if not runs:
        return Filled(panel, panel.one("title"), tuple(notes), error="no run matches")
    columns = list(asked.columns) or run_table.first_columns(runs)
    many = len({run.project for run in runs}) > 1
    rows = run_table.frame(
        runs, columns, data.ask().ordinals([r.ref for r in runs]), time.time(), with_project=many
    )
    if len(runs) < total:
        notes.append(f"the first {len(runs):,} of {words.count(total, 'run')}")
    address = f"/runs?{urlencode(query, doseq=True)}"
    return Filled(panel, panel.one("title"), tuple(notes), address=address, rows=rows)


def _sql(panel: Panel) -> Filled:
    values = {key[2:]: texts[-1] for key, texts in panel.options.items() if key.startswith("p.")}
    asking = data.ask().sql.start(panel.value, values, data.ask().me.by)
    if not asking.wait(_ANSWER_S):
        asking.cancel()
        raise InvalidQuery(f"no answer within {_ANSWER_S:.0f} s")
    if asking.error is not None:
        raise asking.error
    answer = answer_table.displayable(asking.table)
    limit = _whole(panel.one("limit"), 1, MOST_ROWS) or ROWS_AT_FIRST
    notes = []
    draw = panel.one("draw")
    if not draw and answer.num_rows > limit:
        notes.append(f"the first {limit:,} of {words.count(asking.rows, 'row')}")
    if draw and (answer.num_rows < asking.rows or asking.cut):
        notes.append(f"drawn: the first {answer.num_rows:,} of {words.count(asking.rows, 'row')}")
    return Filled(
        panel,
        panel.one("title"),
        tuple(notes),
        error="" if answer.num_rows else "no row answers this statement",
        address=statement.address(panel.value, values),
        rows=None if draw else answer.slice(0, limit).to_pandas(),
        answer=answer if draw else None,
        drawn=(draw, panel.one("x"), panel.one("y"), panel.one("colour")) if draw else None,
    )


def draw(
    answer: pa.Table, wanted: tuple[str, str, str, str]
) -> tuple[Drawn, str, tuple[str, str, str]] | str:
    """Choose what to draw of an answer: the drawing, its kind, the names of x, y and colour; or why not.

    Args:
        answer: Its rows.
        wanted: Kind, x, y and colour as the block says; what is not there is chosen.
    """
    found = answer_chart.axes(answer)
    if found is None:
        return "a chart needs a number, another column, and two rows"
    kind, x, y, color = wanted
    first_x, first_y, first_color = found.first()
    kind = kind if kind in answer_chart.KINDS else answer_chart.KINDS[0]
    if kind == "bars" and first_color and not x:  # a bar stands for a word, where there is one
        first_x, first_color = first_color, ""
    x, y = (x if x in found.x else first_x), (y if y in found.y else first_y)
    color = color if color in found.color else first_color
    color = "" if color in (x, y) else color
    made = answer_chart.draw(answer, kind, x, y, color)
    if made.rows.empty:
        return f"no value of {y} is a finite number"
    return made, kind, (x, y, color)


def notes_of(drawn: Drawn) -> list[str]:
    """Say what of an answer is not drawn."""
    gone, left = drawn.gone, drawn.left_out
    return [
        *([f"{words.count(gone, 'row')} null, NaN or infinite"] if gone else []),
        *([f"{left:,} more colours are not drawn"] if left else []),
    ]


def _run(panel: Panel) -> Filled:
    run = data.ask().run(_ref(panel.value)).value
    now = time.time()
    facts = {
        "state": words.state(run, now),
        "took": words.span(words.run_span_s(run, now)),
        "started": words.instant(run.created_unix_us),
        "user": run.user,
        "tags": ", ".join(run.tags),
    }
    wanted = panel.options.get("show") or [
        *(f"config.{path}" for path in list(run.config)[:6]),
        *(f"summary.{path}" for path in list(run.summary)[:6]),
    ]
    for name in wanted:
        space, _, path = name.partition(".")
        held = run.config if space == "config" else run.summary
        facts[path or name] = _said(held.get(path))
    address = selection.build(Selection(project=run.project, run_id=run.run_id))
    title = panel.one("title") or run.name or run.run_id
    to = f"/run?{urlencode(address, doseq=True)}"
    return Filled(
        panel, title, address=to, facts={name: text for name, text in facts.items() if text}
    )


def _said(value: object) -> str:
    if isinstance(value, float):
        return words.number(value)
    return "" if value is None else str(getattr(value, "text", value))


def _media(panel: Panel) -> Filled:
    ref = _ref(panel.value)
    data.ask().run(ref)
    name = panel.one("name")
    names = data.ask().media.names(ref).value
    if not name and names:
        name = names[0]
    if name not in names:
        raise InvalidQuery(f"the run logged no media {name!r}", hint=", ".join(names[:5]))
    points = data.ask().media.points(ref, name).value
    steps = steps_of(points)
    wanted = panel.one("step", "last")
    step = int(wanted) if wanted.lstrip("-").isdigit() else steps[-1]
    shown = tuple(shown_at(points, step))
    error = "" if shown else f"nothing was logged at step {step:,}"
    to = selection.build(Selection(project=ref.project, run_id=ref.run_id)) | {"tab": ["Media"]}
    title = panel.one("title") or f"{name} · step {step:,}"
    address = f"/run?{urlencode(to, doseq=True)}"
    return Filled(panel, title, (), error, address, media=shown, project=ref.project)


_FILLERS: Final = {"chart": _chart, "table": _table, "sql": _sql, "run": _run, "media": _media}


def _ref(text: str) -> RunRef:
    found = selection.parse_ref(text.strip())
    if found is None:
        raise InvalidQuery(f"not a run {text[:80]!r}", hint="write project/run_id")
    return found


def _whole(text: str, low: int, high: int) -> int:
    """Return a number within its bounds; 0 for none."""
    return min(high, max(low, int(text))) if text.isascii() and text.isdigit() and text else 0
