"""`weir retention`: how long things are kept."""

import re
from dataclasses import asdict
from typing import TYPE_CHECKING, Final

import click

from weir._api_commands import asking, open_api
from weir._printing import grouped, lasting, print_json, print_table
from weir.errors import UsageError

if TYPE_CHECKING:
    from weir._api_changes import PolicyView, What

_UNITS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800, "y": 31_536_000}
_AGE: Final = re.compile(r"(\d+)([smhdwy])")


@click.group()
def retention() -> None:
    """Say how long metrics, console lines and system metrics of a project are kept."""


@retention.command("set")
@click.argument("project")
@click.option("--metric", help="Glob over names of metrics, e.g. 'debug/*'; default all.")
@click.option("--console", is_flag=True, help="About console lines instead.")
@click.option("--system", is_flag=True, help="About system metrics instead.")
@click.option("--keep", default="", metavar="AGE", help="Delete what is older, e.g. 30d.")
@click.option("--thin-after", default="", metavar="AGE:POINTS", help="Thin what is older: 7d:1000.")
@asking
def set_(
    project: str,
    metric: str | None,
    keep: str,
    thin_after: str,
    server: str | None,
    *,
    console: bool,
    system: bool,
    as_json: bool,
) -> None:
    """Make a policy of PROJECT count from now on."""
    age, _, points = thin_after.partition(":")
    with open_api(server) as api:
        found = api.set_retention(
            project,
            metric=metric or "*",
            what=_what(metric, console=console, system=system),
            keep_s=seconds_of(keep),
            thin_after_s=seconds_of(age),
            thin_points=_points(points),
        )
    _print(found, as_json=as_json)


@retention.command("remove")
@click.argument("project")
@click.option("--metric", help="As it was set.")
@click.option("--console", is_flag=True)
@click.option("--system", is_flag=True)
@asking
def remove(
    project: str,
    metric: str | None,
    server: str | None,
    *,
    console: bool,
    system: bool,
    as_json: bool,
) -> None:
    """Take a policy of PROJECT away."""
    with open_api(server) as api:
        what = _what(metric, console=console, system=system)
        found = api.set_retention(project, metric=metric or "*", what=what, remove=True)
    _print(found, as_json=as_json)


@retention.command("list")
@click.argument("project", required=False, default="")
@asking
def list_(project: str, server: str | None, *, as_json: bool) -> None:
    """List the policies of PROJECT, or of all."""
    with open_api(server) as api:
        found = api.retention(project)
    _print(found, as_json=as_json)


@retention.command("preview")
@click.argument("project")
@asking
def preview(project: str, server: str | None, *, as_json: bool) -> None:
    """Show what the policies of PROJECT would delete and thin now; changes nothing."""
    with open_api(server) as api:
        found = api.preview_retention(project)
    if as_json:
        print_json([asdict(each) for each in found])
        return
    if not found:
        click.echo("nothing is old enough")
        return
    rows = [
        (
            step.run_id,
            ", ".join(step.metrics) or step.what,
            f"thin to {step.thin_points}" if step.thin_points else "delete",
            grouped(step.rows),
        )
        for step in found
    ]
    print_table(("run", "what", "how", "rows"), rows, right=("rows",))


def seconds_of(age: str) -> int:
    """Return an age like `30d` in seconds; 0 for none. Raises `UsageError`."""
    if not age:
        return 0
    found = _AGE.fullmatch(age)
    if not found or not int(found[1]):
        raise UsageError(f"{age!r} is no age", hint="a number and one of s, m, h, d, w, y: 30d")
    return int(found[1]) * _UNITS[found[2]]


def _points(points: str) -> int:
    if points and not points.isdecimal():
        raise UsageError(f"{points!r} is no number of points", hint="e.g. --thin-after 7d:1000")
    return int(points or 0)


def _what(metric: str | None, *, console: bool, system: bool) -> "What":
    if sum((metric is not None, console, system)) > 1:
        raise UsageError("one of --metric, --console and --system")
    return "console" if console else "system" if system else "metrics"


def _print(found: "list[PolicyView]", *, as_json: bool) -> None:
    if as_json:
        print_json([asdict(each) for each in found])
        return
    if not found:
        click.echo("everything is kept for ever")
        return
    rows = [
        (
            p.project,
            p.pattern if p.what == "metrics" else f"({p.what})",
            lasting(p.keep_s) if p.keep_s else "for ever",
            f"{lasting(p.thin_after_s)}: {p.thin_points} points" if p.thin_after_s else "",
            p.by,
        )
        for p in found
    ]
    print_table(("project", "what", "kept", "thinned after", "by"), rows)
