"""What a campaign came to, for people and for programs."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.soak.figures import memory, recoveries
from tests.soak.load import Ended
from tests.soak.pauses import merged, percentiles, read_counts
from tests.soak.strike import Struck
from tests.soak.tally import Tally
from tests.soak.watch import Sample


def make_report(
    *,
    seed: int,
    seconds: float,
    struck: Sequence[Struck],
    tally: Tally,
    ended: Sequence[Ended],
    samples: Mapping[str, Sequence[Sample]],
    complaints: Sequence[str],
) -> dict[str, Any]:
    """Return everything there is to say."""
    kills = Counter(blow.target for blow in struck if blow.action == "kill")
    slots = sorted({life.life.slot for life in ended})
    return {
        "seed": seed,
        "seconds": round(seconds, 1),
        "kills": {"all": kills.total(), **kills},
        "pauses_of_parts": sum(blow.action == "pause" for blow in struck),
        "cuts": sum(blow.action == "cut" for blow in struck),
        "clean": tally.clean and not complaints,
        "complaints": list(complaints),
        "counted": {**asdict(tally), "clean": tally.clean},
        "recovery": recoveries(struck),
        "log_pause": {
            "all": _pauses(ended, "pauses.bin"),
            "nothing at all, same process": _pauses(ended, "idle.bin"),
            **{
                slot: _pauses([e for e in ended if e.life.slot == slot], "pauses.bin")
                for slot in slots
            },
        },
        "memory": {name: memory(found) for name, found in sorted(samples.items()) if found},
    }


def _pauses(ended: Sequence[Ended], name: str) -> dict[str, float]:
    return percentiles(merged(read_counts(life.folder / name) for life in ended))


def write_report(folder: Path, report: Mapping[str, Any]) -> str:
    """Write report.json and report.txt; returns the text."""
    text = as_text(report)
    (folder / "report.json").write_text(json.dumps(report, indent=1) + "\n")
    (folder / "report.txt").write_text(text)
    return text


def as_text(report: Mapping[str, Any]) -> str:
    """Return the report for people."""
    counted, kills = report["counted"], report["kills"]
    by_kind = ", ".join(f"{count} {kind}" for kind, count in sorted(kills.items()) if kind != "all")
    lines = [
        f"seed {report['seed']}, {report['seconds'] / 60:.1f} min: {kills['all']} kills ({by_kind}), "
        f"{report['pauses_of_parts']} pauses, {report['cuts']} cuts",
        f"{counted['runs']} runs, {counted['lives']} lives ({counted['killed']} killed): "
        f"{counted['promised']:,} points promised, {counted['stored']:,} read",
        f"lost {counted['lost']}   doubled {counted['doubled']}   changed {counted['changed']}   "
        f"nobody's {counted['strange']}   versions off {counted['versions_off']}   "
        f"states off {counted['states_off']}   verdicts {counted['verdicts'] or 'not asked'}",
        f"un-spooled tails of killed trainers: {counted['tail']} points gone, "
        f"{counted['tail_stored']} stored all the same; {counted['overwritten']} points logged again",
        *(f"  ! {fault}" for fault in (*report["complaints"], *counted["named"])),
        "",
        f"{'after a':<16}{'n':>5}   {'well again s':<28}{'stored again s':<28}{'(blows alone)':<28}",
    ]
    lines += [_recovery_line(kind, found) for kind, found in report["recovery"].items()]
    lines += [
        "",
        f"{'log() µs':<30}{'calls':>10}{'p50':>9}{'p99':>9}{'p99.9':>9}{'p99.99':>9}{'max':>10}",
    ]
    lines += [
        f"{who:<30}{found['calls']:>10.0f}"
        + "".join(f"{found[f'{name}_us']:>9.1f}" for name in ("p50", "p99", "p99.9", "p99.99"))
        + f"{found['max_us']:>10.1f}"
        for who, found in report["log_pause"].items()
    ]
    lines += [
        "",
        f"{'memory MB':<16}{'peak':>8}{'median':>8}{'last':>8}{'growth/h':>10}{'lives':>7}",
    ]
    lines += [
        f"{who:<16}{found['peak_mb']:>8.1f}{found['median_mb']:>8.1f}{found['last_mb']:>8.1f}"
        f"{_number(found['growth_mb_per_h']):>10}{found['processes']:>7}"
        for who, found in report["memory"].items()
    ]
    return "\n".join([*lines, "", "clean" if report["clean"] else "NOT CLEAN", ""])


def _recovery_line(kind: str, found: Mapping[str, Any]) -> str:
    alone = f"{_spread(found['well_alone_s'])} / {_spread(found['stored_alone_s'])}"
    return (
        f"{kind:<16}{found['blows']:>5}   {_spread(found['well_s']):<28}"
        f"{_spread(found['stored_s']):<28}{alone}"
    )


def _spread(found: Mapping[str, float]) -> str:
    if not found["n"]:
        return "-"
    return f"p50 {found['p50']:.1f} p90 {found['p90']:.1f} max {found['max']:.1f}"


def _number(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:+.1f}"
