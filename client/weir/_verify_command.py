"""`weir verify`: does everything that was sent lie in the store, once and unchanged?"""

import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from weir._api_commands import asking, open_api
from weir._api_ledger import ADDS_UP, KINDS, LedgerLine, Verification, with_spools
from weir._printing import grouped, print_json, print_table, styled
from weir._settings import Settings
from weir._verdict_words import Totals, closing_line, lines_to_show, many
from weir.errors import Rejected, WeirError

if TYPE_CHECKING:
    from weir._api import Api

_POLL_S: Final = 0.5
_MOST_GAPS: Final = 16
_LEAST_WIDTH: Final = 100
_CANNOT_TELL: Final = 2
_COUNTS: Final = (
    "sent",
    "stored",
    "pending",
    "rejected",
    "dead",
    "lost",
    "dropped",
    "refused",
    "removed",
)


@click.command()
@click.argument("run")
@click.option("--project", default="", help="Project of RUN; default: the setting.")
@click.option(
    "--dir",
    "root",
    type=click.Path(file_okay=False, path_type=Path),
    help="Spool root to look into; default: the `dir` setting.",
)
@click.option("--complete", is_flag=True, help="Fail as well while something is on its way.")
@click.option(
    "--wait",
    "wait_s",
    default=0.0,
    metavar="S",
    type=click.FloatRange(0),
    help="Wait up to so many seconds until nothing is on its way.",
)
@asking
def verify(
    run: str,
    project: str,
    root: Path | None,
    wait_s: float,
    server: str | None,
    *,
    complete: bool,
    as_json: bool,
) -> None:
    """Check that all points of RUN (project/run_id, or the id) are stored, once and unchanged.

    Compares what the training processes say they sent with what the store holds. Exits with 0 when
    it adds up so far, with 1 when something is lost, changed, missing or doubled, and with 2 when
    that cannot be told.
    """
    path = run
    try:
        settings = Settings.load()
        path = run if "/" in run else f"{project or settings.project}/{run}"
        with open_api(server) as api:
            told = _ask_until_settled(api, path, root or Path(settings.dir), wait_s)
    except WeirError as error:
        click.echo(f"weir: {path} cannot be verified: {error}", err=True)
        sys.exit(_CANNOT_TELL)
    if as_json:
        print_json({"run": path, **asdict(told), "pending_frames": told.pending_frames})
    else:
        _print(path, told)
    sys.exit(exit_code(told.verdict, complete=complete))


def exit_code(verdict: str, *, complete: bool) -> int:
    """Return what `weir verify` exits with. Pure."""
    if verdict == "whole" or (verdict in ADDS_UP and not complete):
        return 0
    return 1


def _ask_until_settled(api: "Api", path: str, root: Path, wait_s: float) -> Verification:
    deadline_s = time.monotonic() + wait_s
    while (told := _ask(api, path, root)).waits and time.monotonic() < deadline_s:
        time.sleep(_POLL_S)
    return told


def _ask(api: "Api", path: str, root: Path) -> Verification:
    from weir._spooled_claim import read_spooled_claims

    project, _, run_id = path.rpartition("/")
    unknown: Rejected | None = None
    try:
        told = api.verify(path)
    except Rejected as error:
        if error.code != "NOT_FOUND":
            raise
        told, unknown = Verification("unclaimed"), error
    spools = list(read_spooled_claims(root.absolute(), project, run_id))
    if unknown is not None and not spools:
        raise unknown
    return with_spools(told, spools)


def _print(path: str, told: Verification) -> None:
    shown = lines_to_show(told.lines)
    ranks = len({line.rank for line in told.lines})
    processes = len({producer for line in told.lines for producer in line.producers})
    click.echo(f"{path}: {many(ranks, 'rank')}, {many(processes, 'process')}")
    rows = [*map(_row, shown), *_totals(told.lines)]
    print_table(
        ("rank", "kind", *_COUNTS, "verdict"), rows, right=_COUNTS, least_width=_LEAST_WIDTH
    )
    hidden = len(told.lines) - len(shown)
    if hidden:
        click.echo(f"{many(hidden, 'line')} that add up are not shown; --json has them")
    for gap in told.gaps[:_MOST_GAPS]:
        click.echo(f"gap: frames {gap.first_seq}…{gap.last_seq} of {gap.producer} are lost")
    if len(told.gaps) > _MOST_GAPS:
        click.echo(f"and {grouped(len(told.gaps) - _MOST_GAPS)} gaps more")
    click.echo(closing_line(told))


def _totals(lines: tuple[LedgerLine, ...]) -> Iterator[tuple[str, ...]]:
    for kind in KINDS:
        total = Totals(lines, kind)
        if total.any:
            yield ("all", kind, *(grouped(getattr(total, name)) for name in _COUNTS), "")


def _row(line: LedgerLine) -> tuple[str, ...]:
    counts = ("–" if (n := getattr(line, name)) is None else grouped(n) for name in _COUNTS)
    return (str(line.rank), line.kind, *counts, styled(line.verdict))
