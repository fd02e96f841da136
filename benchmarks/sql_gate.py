"""What the gate costs a statement: from text to what runs, over the statements of the corpora.

    python -m benchmarks sql_gate

The engine is not asked. Each statement passes on its own; the figures that must hold are the 95th
percentiles over all of a corpus: the good statements, and the hostile ones, which are refused. The gate
only computes, so what counts is CPU time: how long a busy machine keeps it waiting says nothing of it.
"""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path

from benchmarks.harness import Figure, percentile
from weir_store.errors import InvalidQuery
from weir_store.sql.base import Rights
from weir_store.sql.gate import admit

DATA = Path(__file__).resolve().parent.parent / "tests" / "data" / "sql"
VIEWS = ("metrics", "params", "runs", "system")
ROUNDS = 20
RIGHTS = {
    "every project": Rights(),
    "one project": Rights(("ours",)),
    "200 projects": Rights(tuple(f"project-{index}" for index in range(200))),
}


def measure() -> list[Figure]:
    """Pass every statement through the gate, many times."""
    good, hostile = _statements("good.sql"), _statements("hostile.sql")
    found = []
    for name, rights in RIGHTS.items():
        times_s = [_took_s(text, rights) for _ in range(ROUNDS) for text in good]
        found += [
            Figure(f"admitted, {name}: median", 1e3 * percentile(times_s, 0.5), "ms"),
            Figure(f"admitted, {name}: p95", 1e3 * percentile(times_s, 0.95), "ms", "<= 5"),
            Figure(f"admitted, {name}: longest", 1e3 * max(times_s), "ms"),
        ]
    times_s = [_took_s(text, RIGHTS["one project"]) for _ in range(ROUNDS) for text in hostile]
    found.append(Figure("refused: p95", 1e3 * percentile(times_s, 0.95), "ms", "<= 5"))
    long = " UNION ALL ".join(f"SELECT {index}, * FROM runs" for index in range(50))
    times_s = [_took_s(long, RIGHTS["one project"]) for _ in range(ROUNDS)]
    found.append(Figure("admitted, 50 SELECTs in one: p95", 1e3 * percentile(times_s, 0.95), "ms"))
    return found


def _took_s(text: str, rights: Rights) -> float:
    began_s = time.thread_time()
    with suppress(InvalidQuery):
        admit(text, rights, database="views", views=VIEWS)
    return time.thread_time() - began_s


def _statements(name: str) -> list[str]:
    paragraphs = (DATA / name).read_text().split("\n\n")[1:]
    return [
        "\n".join(line for line in paragraph.splitlines() if not line.startswith("-- "))
        for paragraph in paragraphs
    ]
