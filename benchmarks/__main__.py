"""Run the benchmarks: `make bench`, or `python -m benchmarks log_call charts`."""

from __future__ import annotations

import importlib
import json
import platform
import sys
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.harness import ROOT, Figure

ALL = (
    "log_call",
    "log_pause",
    "trainer_cost",
    "end_to_end",
    "latency",
    "charts",
    "disk",
    "memory",
    "ledger",
    "artifacts",
    "console",
    "ranks",
    "asking",
    "sql_gate",
    "reading",
    "export",
    "cold",
    "live",
    "dashboard",
)


def main(names: list[str]) -> int:
    """Measure what was asked for (everything by default); non-zero when a figure misses its target."""
    unknown = set(names) - set(ALL)
    if unknown:
        sys.stderr.write(
            f"no such benchmark: {', '.join(sorted(unknown))}; there are {', '.join(ALL)}\n"
        )
        return 2
    console = Console()
    results: dict[str, list[Figure]] = {}
    for name in names or ALL:
        console.print(f"[bold]{name}[/bold] …")
        results[name] = importlib.import_module(f"benchmarks.{name}").measure()
        console.print(_table(name, results[name]))
    path = _write(results)
    console.print(f"written to {path}")
    return int(any(figure.holds is False for figures in results.values() for figure in figures))


def _table(title: str, figures: list[Figure]) -> Table:
    table = Table(title=title, title_justify="left")
    for heading in ("what", "measured", "unit", "must", ""):
        table.add_column(heading, justify="right" if heading == "measured" else "left")
    for figure in figures:
        mark = {None: "", True: "[green]holds[/green]", False: "[red]misses[/red]"}[figure.holds]
        table.add_row(
            figure.what,
            f"{figure.value:,.3g}" if figure.value < 1_000 else f"{figure.value:,.0f}",
            figure.unit,
            figure.must,
            mark,
        )
    return table


def _write(results: dict[str, list[Figure]]) -> Path:
    folder = ROOT / "bench-results"
    folder.mkdir(exist_ok=True)
    path = folder / f"{time.strftime('%Y%m%dT%H%M%S')}.json"
    machine = {
        "python": platform.python_version(),
        "system": platform.platform(),
        "at_unix_s": int(time.time()),
    }
    figures = {name: [figure.as_json() for figure in found] for name, found in results.items()}
    path.write_text(
        json.dumps({"machine": machine, "figures": figures}, indent=1, ensure_ascii=False)
    )
    return path


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
