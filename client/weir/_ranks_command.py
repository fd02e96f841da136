"""`weir ranks RUN`: who works on a run, whom the others wait for, who left them, and who hangs."""

import math
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

import click

from weir._api_commands import asking, open_api
from weir._api_views import moment
from weir._printing import ago, print_json, print_table, styled
from weir._terminal_text import safe_text

if TYPE_CHECKING:
    from weir._api_ranks import Hang, Stragglers
    from weir._api_run import RunView

_NUMBERS: Final = (
    "rank", "step", "behind", "lives", "ranks", "slowdown", "slowest", "share", "lost", "lately",
    "z", "value", "others", "runs", "expected",
)  # fmt: skip


@click.command()
@click.argument("run")
@click.option("--metric", default="", help="What holds the time of a step; default: by its name.")
@click.option("--role", "roles", multiple=True, help="Only this role; repeated.")
@click.option("-n", "--lines", default=10, show_default=True, type=click.IntRange(1))
@click.option(
    "--all", "everybody", is_flag=True, help="List every rank, not only those to look at."
)
@click.option("--nodes", is_flag=True, help="RUN is a project: which nodes are slow for everyone.")
@asking
def ranks(
    run: str,
    metric: str,
    roles: tuple[str, ...],
    lines: int,
    everybody: bool,
    nodes: bool,
    server: str | None,
    *,
    as_json: bool,
) -> None:
    """Compare the ranks of RUN (project/run_id): stragglers, divergence, NaN, hangs."""
    with open_api(server) as api:
        if nodes:
            _print_nodes(_rows(api.rank_nodes(run, as_="arrow")), lines, as_json=as_json)
            return
        view = api.run(run)
        board = view.stragglers(metric, roles=roles, as_="arrow")
        found = {
            "ranks": [row for row in _rows(view.list_ranks(as_="arrow")) if _chosen(row, roles)],
            "divergence": [
                row for row in _rows(view.divergence(as_="arrow")) if _chosen(row, roles)
            ],
        }
        hangs = [each for each in view.hangs() if not roles or each.role in roles]
    if as_json:
        tables = {name: _rows(getattr(board, name)) for name in ("ranks", "nodes", "timeline")}
        told = {**_figures(board), **tables}
        print_json(
            {"run": view.path, **found, "stragglers": told, "hangs": [asdict(h) for h in hangs]}
        )
        return
    _print_ranks(view, found["ranks"], lines, everybody=everybody)
    _print_hangs(hangs)
    _print_board(board, lines)
    _print_divergence(found["divergence"], lines)


def _chosen(row: dict[str, Any], roles: tuple[str, ...]) -> bool:
    return not roles or row["role"] in roles


def _rows(table: Any) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = table.to_pylist()
    return rows


def _figures(board: "Stragglers") -> dict[str, Any]:
    names = ("metric", "from_times", "steps", "median_s", "lost_s", "half_life_steps")
    return {name: getattr(board, name) for name in names}


def _print_ranks(
    view: "RunView", found: list[dict[str, Any]], lines: int, *, everybody: bool
) -> None:
    nodes = {row["node"] for row in found}
    roles = sorted({row["role"] for row in found})
    _say(f"{view.path}: {len(found)} ranks on {len(nodes)} nodes ({', '.join(roles) or 'no role'})")
    # Those that are not where the others are; of a job that ended, everybody is where they are.
    odd = [row for row in found if row["behind"] > 0 or row["state"] in ("failed", "crashed")]
    shown = found if everybody else sorted(odd, key=lambda row: -row["behind"])[:lines]
    if not shown:
        return
    rows = [
        (
            str(row["rank"]),
            row["role"],
            row["node"],
            styled(row["state"]),
            str(row["step"]) if row["step"] >= 0 else "–",
            str(row["behind"]) if row["behind"] >= 0 else "–",
            ago(moment(row["last_seen_unix_us"])),
        )
        for row in shown
    ]
    print_table(("rank", "role", "node", "state", "step", "behind", "seen"), rows, right=_NUMBERS)
    if len(shown) < len(odd):
        click.echo(f"… and {len(odd) - len(shown)} more (-n)")


def _print_hangs(hangs: list["Hang"]) -> None:
    for hang in hangs:
        _say(f"\nhang: {hang.title}\n{hang.body}")


def _print_board(board: "Stragglers", lines: int) -> None:
    if not board.steps:
        click.echo("\nno step times of two ranks to compare")
        return
    source = f"the times of {board.metric}" if board.from_times else board.metric
    _say(
        f"\n{board.steps} steps of {board.median_s:.4g} s by {source}:"
        f" {board.lost_s:.4g} s lost waiting for the slowest"
    )
    lost = [row for row in _rows(board.ranks) if row["lost_s"] > 0][:lines]
    rows = [
        (
            str(row["rank"]),
            row["role"],
            row["node"],
            _number(row["slowdown"], "×"),
            str(row["slowest"]),
            f"{row['slowest_share']:.1%}",
            _number(row["lost_s"], " s"),
            f"{row['persistence']:.0%}",
            row["blame"],
        )
        for row in lost
    ]
    columns = ("rank", "role", "node", "slowdown", "slowest", "share", "lost", "lately", "blame")
    print_table(columns, rows, right=_NUMBERS)


def _print_divergence(found: list[dict[str, Any]], lines: int) -> None:
    if not found:
        return
    rows = [
        (
            row["kind"],
            row["metric"],
            str(row["rank"]),
            row["node"],
            str(row["step"]),
            _number(row["z"]),
            _number(row["value"]),
            _number(row["others"]),
            "over" if row["over"] else "",
        )
        for row in found[:lines]
    ]
    click.echo()
    columns = ("left", "metric", "rank", "node", "step", "z", "value", "others", "")
    print_table(columns, rows, right=_NUMBERS)
    if len(rows) < len(found):
        click.echo(f"… and {len(found) - len(rows)} more (-n)")


def _print_nodes(found: list[dict[str, Any]], lines: int, *, as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    rows = [
        (
            row["node"],
            str(row["runs"]),
            str(row["ranks"]),
            _number(row["slowdown"], "×"),
            f"{row['slowest_share']:.1%}",
            f"{row['expected_share']:.1%}",
            _number(row["lost_s"], " s"),
        )
        for row in found[:lines]
    ]
    columns = ("node", "runs", "ranks", "slowdown", "share", "expected", "lost")
    print_table(columns, rows, right=_NUMBERS)


def _say(text: str) -> None:
    """Print what holds names of people's choice, without what a terminal would obey."""
    for line in text.split("\n"):
        click.echo(safe_text(line, colours=False))


def _number(value: float, unit: str = "") -> str:
    return "–" if math.isnan(value) else f"{value:.4g}{unit}"
