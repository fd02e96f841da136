"""What the user is looking at ⇄ the address bar. Pure; defaults never appear in the URL.

component/assets/view.js reads and writes the chart keys in the browser; both are
judged by the same examples in tests/unit/dashboard/view_urls.json.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from weir_dashboard.groups import is_key
from weir_store.records import RunRef, XAxis

Query: TypeAlias = Mapping[str, Sequence[str]]
"""A parsed query string: every key with all its values."""

NEWEST_FIRST: Final = "-created"
PER_PAGE: Final = 100
MOST_ACROSS: Final = 4
KERNELS: Final = ("twema", "gauss", "mean")
"""How a point's neighbours are weighed, as component/assets/smooth.js does; the first is the default."""
BANDS: Final = ("std", "ci", "minmax")
"""What is drawn around the mean of a group; the first is the default."""
_PLACES: Final = frozenset(map(str, range(16)))  # of the palette


@dataclass(frozen=True, slots=True)
class ChartView:
    """How curves are drawn. Instants and lengths are in display units: steps or seconds.

    Attributes:
        log_x: A logarithmic x axis; of wall time there is none.
        kernel: How neighbours are weighed when smoothing, one of `KERNELS`.
        across: Panels side by side; 0 = as many as fit.
        draw_all: Draw every run that is listed, not only the newest.
        baseline: The run whose values the others are held against, `project/run_id`.
        pins: Runs on top of the list, drawn whatever comes.
        top: Metrics above all sections.
        folded: Sections that are folded up, as `prefix/`.
        full: The metric that fills the page.
        group_by: What runs are put into groups by, see groups.py; empty = every run is a line of its own.
        band: What is drawn around the mean of a group, one of `BANDS`.
        group_show: Groups drawn beside the first ones, `*` for all.
        group_hide: Groups of the first ones that are not drawn.
        show: Runs drawn beside the newest, as `project/run_id`.
        hide: Runs of the newest that are not drawn.
        colors: Colours chosen for this view: run → place in the palette.
    """

    metrics: str = ""
    x: XAxis = XAxis.STEP
    x_metric: str = ""
    smoothing: float = 0.0
    log_x: bool = False
    log_y: bool = False
    kernel: str = "twema"
    envelope: bool = True
    outliers: bool = True
    each_rank: bool = False
    window: tuple[float, float] | None = None
    live: bool = True
    across: int = 0
    draw_all: bool = False
    baseline: str = ""
    pins: frozenset[str] = frozenset()
    top: tuple[str, ...] = ()
    folded: frozenset[str] = frozenset()
    full: str = ""
    group_by: str = ""
    band: str = "std"
    group_show: frozenset[str] = frozenset()
    group_hide: frozenset[str] = frozenset()
    show: frozenset[str] = frozenset()
    hide: frozenset[str] = frozenset()
    colors: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Selection:
    """Which runs, in which order, drawn how.

    Attributes:
        project: Empty = none chosen.
        run_id: The run of the run page.
        runs: Runs chosen one by one, in any project; empty = the filter decides.
        where: The filter, docs/filter.md.
        order_by: As in `RunQuery`.
        page: From 1.
        columns: Extra table columns, `config.…` or `summary.…`.
        chart: How curves are drawn.
    """

    project: str = ""
    run_id: str = ""
    runs: tuple[RunRef, ...] = ()
    where: str = ""
    order_by: str = NEWEST_FIRST
    page: int = 1
    columns: tuple[str, ...] = ()
    chart: ChartView = ChartView()


def parse_ref(text: str) -> RunRef | None:
    """Read `project/run_id`; None when it is neither."""
    project, slash, run_id = text.rpartition("/")
    return RunRef(project, run_id) if slash and project and run_id else None


def format_ref(ref: RunRef) -> str:
    """Write a run as `project/run_id`: run ids never hold a slash."""
    return f"{ref.project}/{ref.run_id}"


def parse(query: Query) -> Selection:
    """Read a selection; what cannot be understood counts as the default, never as an error."""
    refs = (parse_ref(text) for text in query.get("run", ()))
    return Selection(
        project=_last(query, "project"),
        run_id=_last(query, "id"),
        runs=tuple(dict.fromkeys(ref for ref in refs if ref)),
        where=_last(query, "q"),
        order_by=_last(query, "sort") or NEWEST_FIRST,
        page=_page(_last(query, "p")),
        columns=tuple(dict.fromkeys(text for text in query.get("col", ()) if text)),
        chart=_parse_chart(query),
    )


def build(selection: Selection) -> dict[str, list[str]]:
    """Write a selection; only what differs from the default appears."""
    chart = selection.chart
    pairs: dict[str, Iterable[str]] = {
        "project": [selection.project],
        "id": [selection.run_id],
        "run": [format_ref(ref) for ref in selection.runs],
        "q": [selection.where],
        "sort": [selection.order_by if selection.order_by != NEWEST_FIRST else ""],
        "p": [str(selection.page) if selection.page > 1 else ""],
        "col": selection.columns,
        "m": [chart.metrics],
        "x": [chart.x if chart.x is not XAxis.STEP else ""],
        "xm": [chart.x_metric],
        "s": [_number(chart.smoothing) if chart.smoothing else ""],
        "lx": ["1" if chart.log_x else ""],
        "ly": ["1" if chart.log_y else ""],
        "sk": [chart.kernel if chart.kernel != KERNELS[0] else ""],
        "b": ["" if chart.envelope else "0"],
        "o": ["" if chart.outliers else "0"],
        "r": ["each" if chart.each_rank else ""],
        "win": [",".join(map(_number, chart.window)) if chart.window else ""],
        "live": ["" if chart.live else "0"],
        "cols": [str(chart.across) if chart.across else ""],
        "all": ["1" if chart.draw_all else ""],
        "base": [chart.baseline],
        "pin": sorted(chart.pins),
        "top": chart.top,
        "fold": sorted(chart.folded),
        "full": [chart.full],
        "g": [chart.group_by],
        "gs": [chart.band if chart.band != BANDS[0] else ""],
        "gshow": sorted(chart.group_show),
        "ghide": sorted(chart.group_hide),
        "show": sorted(chart.show),
        "hide": sorted(chart.hide),
        "color": [f"{run}:{place}" for run, place in chart.colors],
    }
    written = {key: [text for text in texts if text] for key, texts in pairs.items()}
    return {key: texts for key, texts in written.items() if texts}


def _parse_chart(query: Query) -> ChartView:
    axis = _last(query, "x")
    return ChartView(
        metrics=_last(query, "m"),
        x=XAxis(axis) if axis in set(XAxis) else XAxis.STEP,
        x_metric=_last(query, "xm"),
        smoothing=max(0.0, _finite(_last(query, "s")) or 0.0),
        log_x=_last(query, "lx") == "1",
        log_y=_last(query, "ly") == "1",
        kernel=kernel if (kernel := _last(query, "sk")) in KERNELS else KERNELS[0],
        envelope=_last(query, "b") != "0",
        outliers=_last(query, "o") != "0",
        each_rank=_last(query, "r") == "each",
        window=_window(_last(query, "win")),
        live=_last(query, "live") != "0",
        across=min(MOST_ACROSS, int(max(0.0, _finite(_last(query, "cols")) or 0.0))),
        draw_all=_last(query, "all") == "1",
        baseline=_last(query, "base"),
        pins=frozenset(text for text in query.get("pin", ()) if text),
        top=tuple(dict.fromkeys(text for text in query.get("top", ()) if text)),
        folded=frozenset(text for text in query.get("fold", ()) if text),
        full=_last(query, "full"),
        group_by=key if is_key(key := _last(query, "g")) else "",
        band=band if (band := _last(query, "gs")) in BANDS else BANDS[0],
        group_show=frozenset(text for text in query.get("gshow", ()) if text),
        group_hide=frozenset(text for text in query.get("ghide", ()) if text),
        show=frozenset(text for text in query.get("show", ()) if text),
        hide=frozenset(text for text in query.get("hide", ()) if text),
        colors=_colors(query.get("color", ())),
    )


def _last(query: Query, key: str) -> str:
    texts = query.get(key, ())
    return texts[-1] if texts else ""


def _page(text: str) -> int:
    return max(1, int(text)) if text.isascii() and text.isdigit() and len(text) < 7 else 1


def _finite(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _window(text: str) -> tuple[float, float] | None:
    parts = [_finite(part) for part in text.split(",")]
    if len(parts) != 2 or parts[0] is None or parts[1] is None or parts[0] >= parts[1]:
        return None
    return parts[0], parts[1]


def _colors(texts: Sequence[str]) -> tuple[tuple[str, int], ...]:
    pairs = ((run, place) for run, _, place in (text.rpartition(":") for text in texts))
    known = {run: int(place) for run, place in pairs if run and place in _PLACES}
    return tuple(sorted(known.items()))


def _number(value: float) -> str:
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
