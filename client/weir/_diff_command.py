"""`weir diff A B`: everything two runs differ in."""

import json
import sys
from typing import Any, Final

import click

from weir._api_commands import asking, open_api
from weir._diff import GROUPS, Difference, differences, patch_difference
from weir._printing import print_json, print_table
from weir._run_record import PATCH_PATH, record_of

_CELL_LETTERS: Final = 200


@click.command()
@click.argument("a")
@click.argument("b")
@click.option("--all", "everything", is_flag=True, help="Also what is the same.")
@click.option("--group", "groups", multiple=True, type=click.Choice(GROUPS), help="Only these.")
@click.option("--exit-code", is_flag=True, help="Exit with 1 when they differ, as diff(1) does.")
@asking
def diff(
    a: str,
    b: str,
    everything: bool,
    groups: tuple[str, ...],
    exit_code: bool,
    server: str | None,
    *,
    as_json: bool,
) -> None:
    """Show what runs A and B (project/run_id) differ in: config, code, data, environment, results."""
    with open_api(server) as api:
        first, second = (record_of(api.run(path), fetch=(PATCH_PATH,)) for path in (a, b))
    found = [
        each
        for each in differences(first, second, everything=everything)
        if not groups or each.group in groups
    ]
    patch = patch_difference(first, second) if not groups or "code" in groups else []
    if as_json:
        print_json(
            {"a": first.path, "b": second.path, "differences": _as_json(found), "patch": patch}
        )
    else:
        _print(first.path, second.path, found, patch)
    if exit_code and (patch or any(not each.same for each in found)):
        sys.exit(1)


def _print(a: str, b: str, found: list[Difference], patch: list[str]) -> None:
    if not found and not patch:
        click.echo(f"{a} and {b} do not differ")
        return
    for group in GROUPS:
        rows = [_row(each) for each in found if each.group == group]
        if rows:
            print_table((group, a, b, ""), rows, right=("",))
            click.echo()
    if patch:
        click.echo("uncommitted changes")
        for line in patch:
            click.echo(line)


def _row(each: Difference) -> tuple[str, str, str, str]:
    change = "=" if each.same else "" if each.change is None else f"{each.change:+.2%}"
    return each.path, _shown(each.a), _shown(each.b), change


def _shown(value: Any) -> str:
    if value is None:
        return "–"
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    if isinstance(value, float):
        text = f"{value:.6g}"
    return text if len(text) <= _CELL_LETTERS else f"{text[:_CELL_LETTERS]}…"


def _as_json(found: list[Difference]) -> list[dict[str, Any]]:
    return [
        {
            "group": each.group,
            "path": each.path,
            "a": each.a,
            "b": each.b,
            "same": each.same,
            "change": each.change,
        }
        for each in found
    ]
