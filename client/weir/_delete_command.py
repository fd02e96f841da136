"""`weir delete`, `receipt`, `move`, `merge`: taking runs away, or elsewhere, and what came of it."""

from dataclasses import asdict
from typing import Any, Final

import click

from weir._api_changes import ReceiptView
from weir._api_commands import asking, open_api
from weir._api_views import moment
from weir._printing import ago, grouped, print_json, print_table

_WAIT_S: Final = 600.0
_WAITS_UNTIL: Final = "waits_until_unix_us"
_REASON: Final = click.option("--reason", default="", help="Why; kept on the receipt.")


@click.command()
@click.argument("path", metavar="RUN|PROJECT")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--no-wait", is_flag=True, help="Do not wait until the space is freed.")
@_REASON
@asking
def delete(
    path: str, reason: str, server: str | None, *, yes: bool, no_wait: bool, as_json: bool
) -> None:
    """Delete RUN (project/run_id), or a whole PROJECT with its runs, artifacts and models.

    It is hidden at once and its space is freed; the receipt says how much, and stays.
    """
    with open_api(server) as api:
        if not yes:
            is_run = "/" in path and not path.endswith("/")
            what = f"run {path}" if is_run else f"the whole project {path}"
            click.confirm(f"delete {what}? It cannot be brought back", abort=True, err=True)
        receipt = api.delete(path, reason=reason, wait_s=0.0 if no_wait else _WAIT_S)
    _print(receipt, as_json=as_json)


@click.command()
@click.argument("receipt_id", metavar="[ID|RUN|PROJECT]")
@asking
def receipt(receipt_id: str, server: str | None, *, as_json: bool) -> None:
    """Show the receipt ID of a change; or list those of a RUN (project/run_id) or PROJECT."""
    with open_api(server) as api:
        if _is_id(receipt_id):
            _print(api.receipt(receipt_id), as_json=as_json)
            return
        project, _, run_id = (
            receipt_id.rpartition("/") if "/" in receipt_id else (receipt_id, "", "")
        )
        found = api.receipts(project, run_id)
    if as_json:
        print_json([asdict(each) for each in found])
        return
    rows = [(r.id, r.kind, r.run_id, r.state, r.by, ago(r.asked), r.reason) for r in found]
    print_table(("receipt", "kind", "run", "state", "by", "asked", "reason"), rows)


@click.command()
@click.argument("runs", nargs=-1, required=True, metavar="RUN…|PROJECT")
@click.argument("project", metavar="TO")
@_REASON
@asking
def move(
    runs: tuple[str, ...], project: str, reason: str, server: str | None, *, as_json: bool
) -> None:
    """Move runs (project/run_id) to the project TO, or rename a whole PROJECT to it."""
    with open_api(server) as api:
        done = api.move(runs if len(runs) > 1 else runs[0], project, reason=reason)
    _print(done, as_json=as_json)


@click.command()
@click.argument("runs", nargs=-1, required=True, metavar="RUN RUN…")
@click.option("--at", "at", multiple=True, type=int, metavar="STEP", help="Last step of each part.")
@_REASON
@asking
def merge(
    runs: tuple[str, ...], at: tuple[int, ...], reason: str, server: str | None, *, as_json: bool
) -> None:
    """Make one run of parts (project/run_id, the earliest first): the last one shows them all."""
    with open_api(server) as api:
        done = api.merge(runs, at=at, reason=reason)
    _print(done, as_json=as_json)


def _is_id(text: str) -> bool:
    return len(text) == 32 and not set(text) - set("0123456789abcdef")


def _print(done: ReceiptView, *, as_json: bool) -> None:
    if as_json:
        print_json(asdict(done))
        return
    where = f"{done.project}/{done.run_id}" if done.run_id else done.project
    click.echo(f"{done.kind} of {where}: {done.state}, by {done.by}, receipt {done.id}")
    if done.reason:
        click.echo(f"reason: {done.reason}")
    before: dict[str, Any] = done.result.get("before", {})
    after: dict[str, Any] = done.result.get("after", {})
    if before:
        rows = [
            (
                table,
                grouped(told["rows"]),
                grouped(told["bytes"]),
                grouped(after.get(table, told)["rows"]),
                grouped(after.get(table, told)["bytes"]),
            )
            for table, told in before.items()
        ]
        columns = ("table", "rows", "bytes", "rows after", "bytes after")
        print_table(columns, rows, right=columns[1:])
    for name, value in done.result.items():
        if name not in ("before", "after", _WAITS_UNTIL) and value not in ([], {}, 0):
            click.echo(f"{name}: {_shown(value)}")
    if done.state == "waiting" and done.result.get(_WAITS_UNTIL):
        until = moment(done.result[_WAITS_UNTIL])
        click.echo(f"files that are too young to be collected are freed after {until:%F %H:%M} UTC")
    if done.result.get("kept_for_forks"):
        click.echo("points that forks show are freed with the last fork")


def _shown(value: Any) -> str:
    match value:
        case dict():
            return ", ".join(f"{name} {_shown(each)}" for name, each in value.items() if each)
        case list():
            return ", ".join(map(str, value))
        case int():
            return grouped(value)
    return str(value)


COMMANDS: Final = (delete, receipt, move, merge)
