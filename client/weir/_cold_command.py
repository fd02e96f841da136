"""`weir cold`: finished runs as files in the object store."""

import time
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Final

import click

from weir._api_commands import asking, open_api
from weir._printing import ago, grouped, lasting, print_json, print_table
from weir._retention_command import seconds_of
from weir.errors import Rejected, Unavailable

if TYPE_CHECKING:
    from weir._api import Api
    from weir._api_changes import ReceiptView

_WAIT_S: Final = 600.0
_POLL_S: Final = 0.2
_REASON: Final = click.option("--reason", default="", help="Why; kept on the receipt.")
_NO_WAIT: Final = click.option("--no-wait", is_flag=True, help="Do not wait until it is done.")


@click.group()
def cold() -> None:
    """Roll finished runs to files in the object store; they are asked as before."""


@cold.command()
@click.argument("runs", nargs=-1, required=True, metavar="RUN…")
@_NO_WAIT
@_REASON
@asking
def roll(
    runs: tuple[str, ...], reason: str, server: str | None, *, no_wait: bool, as_json: bool
) -> None:
    """Roll each RUN (project/run_id) that has ended to Parquet in the object store.

    Its points, system metrics and console lines leave the tables once nobody can still be reading them
    there (objects.cold_settle_s, an hour).
    """
    with open_api(server) as api:
        asked = [api.roll(run, reason=reason) for run in runs]
        _print(_ended(api, asked, 0.0 if no_wait else _WAIT_S), as_json=as_json)


@cold.command()
@click.argument("runs", nargs=-1, required=True, metavar="RUN…")
@_NO_WAIT
@_REASON
@asking
def thaw(
    runs: tuple[str, ...], reason: str, server: str | None, *, no_wait: bool, as_json: bool
) -> None:
    """Bring each cold RUN (project/run_id) back into the tables. No rule rolls it again for a day."""
    with open_api(server) as api:
        asked = [api.thaw(run, reason=reason) for run in runs]
        _print(_ended(api, asked, 0.0 if no_wait else _WAIT_S), as_json=as_json)


@cold.command()
@click.argument("project", required=False, default="")
@asking
def status(project: str, server: str | None, *, as_json: bool) -> None:
    """List the cold runs of PROJECT, or of all, with their rows and bytes."""
    with open_api(server) as api:
        found, rules = api.cold_runs(project), api.cold_rules(project)
    if as_json:
        said = {"runs": [asdict(each) for each in found], "rules": [asdict(each) for each in rules]}
        print_json(said)
        return
    for rule in rules:
        click.echo(f"{rule.project}: rolled {lasting(rule.after_s)} after their end, by {rule.by}")
    if not found:
        click.echo("no cold runs")
        return
    rows = [
        (f"{r.project}/{r.run_id}", grouped(r.rows), grouped(r.size_bytes), r.by, ago(r.at))
        for r in found
    ]
    print_table(("run", "rows", "bytes", "by", "since"), rows, right=("rows", "bytes"))


@cold.command()
@click.argument("project")
@click.option("--older-than", default="", metavar="AGE", help="Since the end of a run: 90d.")
@click.option("--remove", is_flag=True, help="Take the rule away; what is cold stays cold.")
@asking
def rule(project: str, older_than: str, server: str | None, *, remove: bool, as_json: bool) -> None:
    """Roll runs of PROJECT by themselves, so long after they ended."""
    with open_api(server) as api:
        changes = remove or older_than
        found = (
            api.set_cold_rule(project, seconds_of(older_than), remove=remove)
            if changes
            else api.cold_rules(project)
        )
    if as_json:
        print_json([asdict(each) for each in found])
    for each in () if as_json else found:
        click.echo(f"{each.project}: rolled {lasting(each.after_s)} after their end, by {each.by}")
    if not found and not as_json:
        click.echo(f"{project}: runs stay where they are")


def _ended(api: "Api", asked: "Sequence[ReceiptView]", wait_s: float) -> "list[ReceiptView]":
    """Ask again until none is merely asked or begun; a server that is away for a moment is asked again."""
    deadline_s = time.monotonic() + wait_s
    return [_followed(api, each, deadline_s) for each in asked]


def _followed(api: "Api", receipt: "ReceiptView", deadline_s: float) -> "ReceiptView":
    while receipt.state in ("asked", "begun") and time.monotonic() < deadline_s:
        time.sleep(_POLL_S)
        try:
            receipt = api.receipt(receipt.id)
        except Unavailable:
            continue
    return receipt


def _print(receipts: "Sequence[ReceiptView]", *, as_json: bool) -> None:
    if as_json:
        print_json([asdict(each) for each in receipts])
    problems = []
    for each in receipts:
        problem = each.result.get("given_up") or each.result.get("refused")
        if problem:
            problems.append(f"{each.project}/{each.run_id} stays as it is: {problem}")
        elif not as_json:
            click.echo(_words(each))
    if problems:
        raise Rejected("\n".join(problems), code="FAILED_PRECONDITION")


def _words(receipt: "ReceiptView") -> str:
    run, result = f"{receipt.project}/{receipt.run_id}", receipt.result
    if receipt.state in ("asked", "begun"):
        return f"{run}: {receipt.state}; see weir receipt {receipt.id}"
    size = f"{grouped(result.get('rows', 0))} rows, {grouped(result.get('size_bytes', 0))} bytes"
    if receipt.kind == "thaw":
        return f"{run} is back in the tables: {size}"
    freed = result.get("bytes_freed")
    left = f"{grouped(freed)} bytes freed" if freed is not None else "its tables are freed later"
    return f"{run} is cold: {size} in files; {left} (weir receipt {receipt.id})"
