"""The door to many runs at once; two implementations, judged by tests/contract/test_compared.py."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

import pyarrow as pa

from weir_store.errors import InvalidQuery
from weir_store.records import Run, RunRef

MOST_RUNS: Final = 1_000
"""So many runs are compared at once."""

RESULTS: Final = pa.schema(
    [
        ("project", pa.string()),
        ("run_id", pa.string()),
        ("metric", pa.string()),
        ("rank", pa.uint32()),
        *((name, pa.float64()) for name in ("last", "min", "max", "mean")),
        ("nonfinite", pa.uint8()),
    ]
)
"""The columns of `read_results`."""


class CompareReader(Protocol):
    """Asks a fixed number of questions, however many runs there are. Safe from any thread.

    Both methods raise `InvalidQuery` for more than `MOST_RUNS` runs and `StoreUnavailable`
    when no answer comes in time.
    """

    def get_runs(self, refs: Sequence[RunRef], columns: Sequence[str] | None = None) -> list[Run]:
        """Return those of the runs that exist, in the order asked; their `files` are left out.

        Args:
            refs: Of any projects; the same run twice counts once.
            columns: `config.*` / `summary.*` / `meta.*` paths to fill; `None` fills all.
        """
        ...

    def read_results(
        self, refs: Sequence[RunRef], metrics: Sequence[str] = (), *, mean: bool = False
    ) -> pa.Table:
        """Return what each metric of each run came to at the lowest rank that has it.

        Args:
            refs: Runs; those that do not exist have no rows.
            metrics: Exact names; none = all.
            mean: Fill `mean`, over the finite values. It reads every point of these metrics;
                the rest comes from summaries.

        Returns:
            `RESULTS`, by project, run_id, metric. min, max and mean are over the finite values,
            NaN where there is none; mean is null unless asked for. nonfinite: bit 0 NaN,
            bit 1 +Inf, bit 2 −Inf among the points.
        """
        ...


def check(refs: Sequence[RunRef]) -> list[RunRef]:
    """Return the runs once each, in order; raises `InvalidQuery` for too many."""
    once = list(dict.fromkeys(refs))
    if len(once) > MOST_RUNS:
        raise InvalidQuery(f"{len(once):,} runs at once", hint=f"at most {MOST_RUNS:,}")
    return once
