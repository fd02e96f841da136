"""`weir.plot`: ready-made charts for `run.log`, as Vega-Lite specifications with their data inside.

    run.log({"val/roc": weir.plot.roc_curve(y_true, probabilities)})

What is given is copied when the chart is logged and computed on the run's media thread. Charts hold
at most 10 000 rows of data, or 100 classes; curves are thinned to 1 000 points a class.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from weir._media.arrays import own_array, own_labels
from weir._media.base import Blob, Encoded, Media, Snapshot, Taking, Unfit, check_size
from weir._media.curves import Curve, confusion, one_against_all, precision_recall, roc
from weir._media.figure import VEGA_LITE, Figure
from weir._media.naming import to_json
from weir._media.rows import rows_of

__all__ = [
    "bar",
    "confusion_matrix",
    "histogram",
    "line",
    "pr_curve",
    "roc_curve",
    "scatter",
]
MAX_ROWS: Final = 10_000
_CURVE_POINTS: Final = 1_000
_MOST_CLASSES: Final = 100  # a matrix of them has MAX_ROWS cells
_SCHEMA: Final = "https://vega.github.io/schema/vega-lite/v5.json"

Spec = dict[str, Any]


class _Plot(Media):
    """A chart that is computed from arrays after it was logged."""

    kind = Figure.kind

    def __init__(
        self,
        name: str,
        take: Callable[[], Sequence[Any]],
        make: Callable[..., Spec],
        title: str | None,
    ) -> None:
        self._name, self._take, self._make, self._title = name, take, make, title

    def snapshot(self, taking: Taking) -> Snapshot:
        """See `Media.snapshot`."""
        taken = self._take()
        size_bytes = sum(int(getattr(each, "nbytes", 0)) for each in taken)
        check_size("the plot's data", size_bytes, taking)
        return Snapshot(size_bytes, lambda: self._encode(taken))

    def _encode(self, taken: Sequence[Any]) -> Encoded:
        spec = {"$schema": _SCHEMA, **self._make(*taken)}
        if self._title:
            spec["title"] = str(self._title)
        facts: dict[str, Any] = {"type": self.kind, "plot": self._name}
        facts |= spec.pop("facts", {})
        return Encoded(facts, Blob(VEGA_LITE, to_json(spec).encode()))


def confusion_matrix(
    y_true: Any,
    y_pred: Any = None,
    class_names: Sequence[str] | None = None,
    *,
    preds: Any = None,
    probs: Any = None,
    title: str | None = "Confusion matrix",
) -> Media:
    """Return how often each class was taken for each.

    Args:
        y_true: The true class of every sample, whole numbers or texts.
        y_pred: The predicted classes; `preds` means the same.
        class_names: Names by class number.
        preds: Another name for `y_pred`.
        probs: Instead of them, scores as samples × classes: the highest wins.
        title: Above the chart.
    """

    def take() -> tuple[Any, Any]:
        true = own_labels(y_true, "y_true").ravel()
        if probs is not None:
            return true, own_array(probs, "probs").argmax(axis=1)
        predicted = y_pred if y_pred is not None else preds
        if predicted is None:
            raise Unfit("a confusion matrix needs y_pred, or probs")
        return true, own_labels(predicted, "y_pred").ravel()

    def make(true: Any, predicted: Any) -> Spec:
        if true.size != predicted.size or not true.size:
            raise Unfit(f"{true.size} true labels and {predicted.size} predicted ones")
        return _matrix(true, predicted, class_names)

    return _Plot("confusion_matrix", take, make, title)


def roc_curve(
    y_true: Any,
    y_score: Any,
    labels: Sequence[str] | None = None,
    *,
    classes_to_plot: Sequence[Any] | None = None,
    title: str | None = "ROC",
) -> Media:
    """Return the receiver operating characteristic, one curve per class, with its area.

    Args:
        y_true: The true class of every sample.
        y_score: Scores: one per sample for the greater of two classes, or samples × classes.
        labels: Names by class number.
        classes_to_plot: Only these classes.
        title: Above the chart.
    """
    axes = ("false positive rate", "true positive rate", "AUC")
    return _curves("roc_curve", roc, axes, (y_true, y_score), (labels, classes_to_plot), title)


def pr_curve(
    y_true: Any,
    y_score: Any,
    labels: Sequence[str] | None = None,
    *,
    classes_to_plot: Sequence[Any] | None = None,
    title: str | None = "Precision and recall",
) -> Media:
    """Return precision over recall, one curve per class, with its average precision (AP).

    Arguments are as in `roc_curve`.
    """
    axes = ("recall", "precision", "AP")
    arguments = (y_true, y_score), (labels, classes_to_plot)
    return _curves("pr_curve", precision_recall, axes, *arguments, title)


def line(
    table: Any, x: str, y: str, *, stroke: str | None = None, title: str | None = None
) -> Media:
    """Return lines through the rows of a table, one per value of column `stroke`.

    Args:
        table: `weir.Table`, DataFrame, Arrow table, or `{"column": values}`.
        x: Column to the right.
        y: Column upwards.
        stroke: Column that tells lines apart.
        title: Above the chart.
    """
    return _drawn("line", table, {"x": x, "y": y, "color": stroke}, {"type": "line"}, title)


def scatter(
    table: Any, x: str, y: str, *, color: str | None = None, title: str | None = None
) -> Media:
    """Return one dot per row of a table; arguments as in `line`."""
    mark = {"type": "point", "filled": True, "tooltip": True}
    return _drawn("scatter", table, {"x": x, "y": y, "color": color}, mark, title)


def bar(table: Any, label: str, value: str, *, title: str | None = None) -> Media:
    """Return one bar per row of a table, named by column `label`."""
    mark = {"type": "bar", "tooltip": True}
    return _drawn("bar", table, {"x": label, "y": value}, mark, title, nominal=("x",))


def histogram(table: Any, value: str, *, title: str | None = None) -> Media:
    """Return how the values of a column of a table are spread."""
    return _drawn("histogram", table, {"x": value}, {"type": "bar"}, title, binned=True)


# ── below ─────────────────────────────────────────────────────────────────


def _matrix(true: Any, predicted: Any, names: Sequence[str] | None) -> Spec:
    import numpy as np

    if true.dtype.kind != predicted.dtype.kind:
        true, predicted = true.astype(str), predicted.astype(str)
    classes = np.union1d(true, predicted)
    if names and classes.dtype.kind in "iu" and classes[0] >= 0 and classes[-1] < len(names):
        classes = np.arange(len(names))
    if len(classes) > _MOST_CLASSES:
        raise Unfit(f"{len(classes)} classes; a matrix shows at most {_MOST_CLASSES}")
    counts = confusion(true, predicted, classes)
    words = [_name(each.item(), names) for each in classes]
    rows = [
        {"true": words[i], "predicted": words[j], "count": int(counts[i, j])}
        for i in range(len(words))
        for j in range(len(words))
    ]
    axis = {"type": "nominal", "sort": words}
    ink = {"condition": {"test": f"datum.count > {counts.max() / 2}", "value": "white"}}
    return {
        "data": {"values": rows},
        "height": {"step": 28},
        "encoding": {"x": {"field": "predicted", **axis}, "y": {"field": "true", **axis}},
        "layer": [
            {"mark": {"type": "rect", "tooltip": True}, "encoding": {"color": _field("count")}},
            {
                "mark": "text",
                "encoding": {"text": _field("count"), "color": {**ink, "value": "black"}},
            },
        ],
        "facts": {"accuracy": float(np.trace(counts) / counts.sum()), "classes": len(words)},
    }


def _curves(
    name: str,
    curve_of: Callable[[Any, Any], Curve],
    axes: tuple[str, str, str],
    data: tuple[Any, Any],
    choice: tuple[Sequence[str] | None, Sequence[Any] | None],
    title: str | None,
) -> Media:
    (y_true, y_score), (labels, chosen) = data, choice
    x, y, area = axes

    def take() -> tuple[Any, Any]:
        return own_labels(y_true, "y_true").ravel(), own_array(y_score, "y_score")

    def make(true: Any, score: Any) -> Spec:
        rows, areas = [], {}
        shown_of = {
            each: pair
            for each, pair in one_against_all(true, score).items()
            if chosen is None or each in chosen or _name(each, labels) in chosen
        }
        if not 0 < len(shown_of) <= _MOST_CLASSES:
            raise Unfit(f"{len(shown_of)} classes; 1 to {_MOST_CLASSES}: choose classes_to_plot")
        for each, (positive, one_score) in shown_of.items():
            curve = curve_of(positive, one_score)
            areas[_name(each, labels)] = curve.area
            shown = f"{_name(each, labels)} ({area} {curve.area:.3f})"
            rows += [
                {x: float(curve.x[at]), y: float(curve.y[at]), "class": shown}
                for at in _thinned(len(curve.x))
            ]
        return {
            "data": {"values": rows},
            "mark": {"type": "line", "interpolate": "linear"},
            "encoding": {
                "x": _field(x),
                "y": _field(y),
                "color": {"field": "class", "type": "nominal"},
                "order": _field(x),
            },
            "facts": {area.lower(): areas},
        }

    return _Plot(name, take, make, title)


def _thinned(length: int) -> Sequence[int]:
    """At most a thousand places, evenly spread, the first and the last among them."""
    if length <= _CURVE_POINTS:
        return range(length)
    step = (length - 1) / (_CURVE_POINTS - 1)
    return [round(at * step) for at in range(_CURVE_POINTS)]


def _drawn(
    name: str,
    table: Any,
    columns: Mapping[str, str | None],
    mark: Spec,
    title: str | None,
    *,
    nominal: Sequence[str] = (),
    binned: bool = False,
) -> Media:
    shown = {channel: column for channel, column in columns.items() if column is not None}

    def take() -> tuple[list[dict[str, Any]]]:
        return (rows_of(table, list(dict.fromkeys(shown.values())), MAX_ROWS),)

    def make(rows: list[dict[str, Any]]) -> Spec:
        encoding = {channel: _channel(column, rows) for channel, column in shown.items()}
        for channel in nominal:
            encoding[channel] |= {"type": "nominal", "sort": None}
        if binned:
            encoding["x"]["bin"] = {"maxbins": 50}
            encoding["y"] = {"aggregate": "count", "type": "quantitative"}
        return {"data": {"values": rows}, "mark": mark, "encoding": encoding}

    return _Plot(name, take, make, title)


def _channel(column: str, rows: Sequence[Mapping[str, Any]]) -> Spec:
    first = next((row[column] for row in rows if row[column] is not None), 0)
    kind = "quantitative" if isinstance(first, (int, float)) else "nominal"
    return {"field": _escaped(column), "type": kind, "title": column}


def _field(name: str) -> Spec:
    return {"field": name, "type": "quantitative"}


def _escaped(column: str) -> str:
    """Vega-Lite reads dots and brackets in a field as paths."""
    return "".join(f"\\{letter}" if letter in ".[]\\" else letter for letter in column)


def _name(value: Any, names: Sequence[str] | None) -> str:
    if names and isinstance(value, int) and 0 <= value < len(names):
        return str(names[value])
    return str(value)
