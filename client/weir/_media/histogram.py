"""Distributions: counts between edges, small enough to live in the point itself."""

from typing import Any, ClassVar, Final

from weir._media.arrays import own_array
from weir._media.base import Encoded, Media, Snapshot, Taking, Unfit, check_size

MAX_BINS: Final = 512


class Histogram(Media):
    """How values are spread.

    Args:
        values: Numbers in an array or list of any shape. NaN and ±Inf are counted apart.
        num_bins: Bins of equal width between the least and the greatest, 1 to 512.
        np_histogram: What `numpy.histogram` returned (counts, edges), instead of values.
    """

    kind: ClassVar = "histogram"

    def __init__(self, values: Any = None, num_bins: int = 64, *, np_histogram: Any = None) -> None:
        self.values, self.num_bins, self.np_histogram = values, num_bins, np_histogram

    def snapshot(self, taking: Taking) -> Snapshot:
        """See `Media.snapshot`."""
        given = self.np_histogram
        if given is None and _is_histogram(self.values):
            given = self.values
        if given is not None:
            counts, edges = own_array(given[0], "counts"), own_array(given[1], "edges")
            return Snapshot(counts.nbytes + edges.nbytes, lambda: _of_counts(counts, edges))
        if self.values is None:
            raise Unfit("a histogram needs values, or np_histogram=numpy.histogram(values)")
        bins = int(self.num_bins)
        if not 1 <= bins <= MAX_BINS:
            raise Unfit(f"{bins} bins; a histogram has 1 to {MAX_BINS}")
        check_size("the histogram's values", int(getattr(self.values, "nbytes", 0) or 0), taking)
        values = own_array(self.values, "a histogram").ravel()
        return Snapshot(values.nbytes, lambda: _of_values(values, bins))


def _is_histogram(values: Any) -> bool:
    """Whether this is what `numpy.histogram` returns: two arrays, the second one longer by one."""
    if not isinstance(values, tuple) or len(values) != 2:
        return False
    lengths = [getattr(each, "size", None) for each in values]
    return lengths[0] is not None and lengths[1] == lengths[0] + 1


def _of_counts(counts: Any, edges: Any) -> Encoded:
    import numpy as np

    if counts.ndim != 1 or edges.ndim != 1 or edges.size != counts.size + 1 or not counts.size:
        raise Unfit(f"{counts.size} counts need {counts.size + 1} edges, not {edges.size}")
    if counts.size > MAX_BINS:
        raise Unfit(f"{counts.size} bins; a histogram has at most {MAX_BINS}")
    if not np.isfinite(edges).all() or (np.diff(edges) < 0).any():
        raise Unfit("edges of a histogram must be finite and rise")
    if not np.isfinite(counts).all() or (counts < 0).any():
        raise Unfit("counts of a histogram must be finite and not negative")
    return Encoded(_facts(counts, edges))


def _of_values(values: Any, bins: int) -> Encoded:
    import numpy as np

    numbers = values.astype(np.float64, copy=False)
    finite = numbers[np.isfinite(numbers)]
    facts = _facts(*_spread(finite, bins)) if finite.size else _facts([], [])
    apart = {
        "nan": int(np.isnan(numbers).sum()),
        "inf": int(np.isposinf(numbers).sum()),
        "neg_inf": int(np.isneginf(numbers).sum()),
    }
    facts |= {name: count for name, count in apart.items() if count}
    if finite.size:
        facts |= {
            "min": float(finite.min()),
            "max": float(finite.max()),
            "mean": _finite(np.mean(finite, dtype=np.longdouble)),
            "std": _finite(np.std(finite, dtype=np.longdouble)),
        }
    return Encoded(facts)


def _spread(finite: Any, bins: int) -> tuple[Any, Any]:
    import numpy as np

    lowest, highest = float(finite.min()), float(finite.max())
    if not np.isfinite(highest - lowest):  # the range alone is more than a float holds
        counts, edges = np.histogram(finite / 4, bins=bins, range=(lowest / 4, highest / 4))
        return counts, np.clip(edges * 4, lowest, highest)
    try:
        return np.histogram(finite, bins=bins)
    except ValueError:  # too narrow to be cut into so many
        return np.array([finite.size]), np.array([lowest, np.nextafter(highest, np.inf)])


def _finite(number: Any) -> float:
    """As a float; JSON knows no infinity."""
    largest = 1.7976931348623157e308
    return float(min(max(number, -largest), largest))


def _facts(counts: Any, edges: Any) -> dict[str, Any]:
    numbers = [float(count) for count in counts]
    whole = [int(count) if count.is_integer() else count for count in numbers]
    return {
        "type": Histogram.kind,
        "counts": whole,
        "edges": [float(edge) for edge in edges],
        "count": sum(whole),
    }
