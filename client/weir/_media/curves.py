"""What classifiers are judged by: confusion matrix, ROC and precision-recall curves. Pure NumPy.

Source: definitions and the treatment of ties as in scikit-learn, which the tests compare with.
"""

from dataclasses import dataclass
from typing import Any

from weir._media.base import Unfit


@dataclass(frozen=True, slots=True)
class Curve:
    """A curve and the area below it.

    Attributes:
        x: False positive rate, or recall.
        y: True positive rate, or precision.
        area: Under the ROC curve, or average precision; NaN when only one class occurs.
    """

    x: Any
    y: Any
    area: float


def confusion(y_true: Any, y_pred: Any, classes: Any) -> Any:
    """Count pairs: int64[class, class], rows are what is true, columns what was said."""
    import numpy as np

    rows, columns = np.searchsorted(classes, y_true), np.searchsorted(classes, y_pred)
    size = len(classes)
    return np.bincount(rows * size + columns, minlength=size * size).reshape(size, size)


def roc(positive: Any, score: Any) -> Curve:
    """Return the ROC curve of `score` for `positive` (bool); begins at (0, 0)."""
    import numpy as np

    false_positives, true_positives = _counts(positive, score)
    false_positives = np.r_[0, false_positives]
    true_positives = np.r_[0, true_positives]
    x, y = _share(false_positives), _share(true_positives)
    return Curve(x, y, float(np.sum(np.diff(x) * (y[1:] + y[:-1]) / 2)))


def precision_recall(positive: Any, score: Any) -> Curve:
    """Return precision over rising recall; begins at recall 0 with precision 1."""
    import numpy as np

    false_positives, true_positives = _counts(positive, score)
    precision = true_positives / (true_positives + false_positives)
    recall = _share(true_positives)
    area = float(np.sum(np.diff(np.r_[0, recall]) * precision))
    return Curve(np.r_[0, recall], np.r_[1, precision], area)


def one_against_all(y_true: Any, score: Any) -> dict[Any, tuple[Any, Any]]:
    """Return (positive, score) by class: of the greater label for one score, of each for several.

    Raises:
        Unfit: The shapes do not fit, or there are not as many classes as columns.
    """
    import numpy as np

    if y_true.ndim != 1 or not y_true.size:
        raise Unfit(f"y_true has shape {y_true.shape}, not one label per sample")
    if score.shape[:1] != y_true.shape or score.ndim > 2:
        raise Unfit(f"scores of shape {score.shape} for {y_true.size} labels")
    if not np.isfinite(score).all():
        raise Unfit("scores must be finite")
    classes = np.unique(y_true)
    if score.ndim == 1 or score.shape[1] == 1:
        if len(classes) > 2:
            raise Unfit(f"{len(classes)} classes need a score for each: samples × classes")
        return {classes[-1].item(): (y_true == classes[-1], score.reshape(-1))}
    whole = classes.dtype.kind in "iu" and classes.min() >= 0 and classes.max() < score.shape[1]
    if not whole and len(classes) != score.shape[1]:
        raise Unfit(f"{len(classes)} classes, but scores for {score.shape[1]}")
    names = range(score.shape[1]) if whole else [each.item() for each in classes]
    return {name: (y_true == name, score[:, at]) for at, name in enumerate(names)}


def _counts(positive: Any, score: Any) -> tuple[Any, Any]:
    """False and true positives at every threshold that occurs, falling."""
    import numpy as np

    order = np.argsort(-score, kind="stable")
    falling, hits = score[order], positive[order]
    last_of_ties = np.r_[np.nonzero(np.diff(falling))[0], hits.size - 1]
    true_positives = np.cumsum(hits)[last_of_ties]
    return last_of_ties + 1 - true_positives, true_positives


def _share(counts: Any) -> Any:
    import numpy as np

    return counts / counts[-1] if counts[-1] else np.full(counts.shape, np.nan)
