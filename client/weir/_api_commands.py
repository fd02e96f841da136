"""`weir projects`, `weir runs`, `weir show` and `weir metrics`: asking the server from a shell."""

import json
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import click

if TYPE_CHECKING:
    from weir._api import Api
    from weir._api_run import RunView

_STATE_STYLES: Final = {
    "running": "green",
    "finished": "blue",
    "failed": "red",
    "crashed": "red",
    "interrupted": "yellow",
}


def _asking(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options every command here has."""
    command = click.option("--json", "as_json", is_flag=True, help="Print JSON.")(command)
    return click.option("--server", help="host:port; default as for weir.init().")(command)


@click.command()
@_asking
def projects(server: str | None, *, as_json: bool) -> None:
    """List projects, the most recently active first."""
    with _api(server) as api:
        found = api.projects()
    if as_json:
        _print_json([asdict(project) for project in found])
        return
    rows = [(p.name, str(p.runs), str(p.running), _ago(p.last_activity)) for p in found]
    _print_table(("project", "runs", "running", "active"), rows, right=("runs", "running"))


@click.command()
@click.argument("project", required=False, default="")
@click.option("--where", default="", help="Filter, e.g. \"config.lr < 0.1 AND state = 'failed'\".")
@click.option("--order-by", default="-created", show_default=True, help="Field; - for descending.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1))
@click.option("--column", "columns", multiple=True, help="config.* or summary.* path to show.")
@_asking
def runs(
    project: str,
    where: str,
    order_by: str,
    limit: int,
    columns: tuple[str, ...],
    server: str | None,
    *,
    as_json: bool,
) -> None:
    """List runs of PROJECT, or of every project."""
    with _api(server) as api:
        matching = api.runs(project, where, order_by, limit, columns)
        found, total = list(matching), matching.total
    if as_json:
        _print_json([_run_json(run) for run in found])
        return
    if not found:
        click.echo("no runs match" if where or project else "no runs yet")
        return
    rows = [
        (
            run.path,
            run.name,
            _styled(run.state),
            str(run.ranks),
            _ago(run.created),
            *(_cell(run, c) for c in columns),
        )
        for run in found
    ]
    _print_table(("run", "name", "state", "ranks", "created", *columns), rows, right=("ranks",))
    if total > len(found):
        click.echo(f"{len(found)} of {total} runs; --limit shows more")


@click.command()
@click.argument("run")
@_asking
def show(run: str, server: str | None, *, as_json: bool) -> None:
    """Show everything known of RUN (project/run_id)."""
    with _api(server) as api:
        view = api.run(run)
        sessions = view.sessions()
    if as_json:
        _print_json({**_run_json(view), "sessions": [asdict(each) for each in sessions]})
        return
    _print_facts(view)
    for title, values in (("config", view.config), ("summary", view.summary)):
        if values:
            _print_table((title, ""), [(path, _shown(values[path])) for path in values])
    rows = [
        (str(s.rank), s.node, str(s.pid), _styled(s.state), s.reason, _ago(s.last_seen))
        for s in sessions
    ]
    _print_table(("rank", "node", "pid", "state", "reason", "seen"), rows, right=("rank", "pid"))


@click.command()
@click.argument("run")
@click.option("--search", default="", help="Words, or a glob such as 'val/*'.")
@_asking
def metrics(run: str, search: str, server: str | None, *, as_json: bool) -> None:
    """List the metrics of RUN (project/run_id)."""
    with _api(server) as api:
        found = api.run(run).metrics(search)
    if as_json:
        _print_json([asdict(metric) for metric in found])
        return
    rows = [
        (
            m.name,
            f"{m.min_step} … {m.max_step}",
            "text" if m.is_text else "",
            "NaN or Inf" if m.has_nonfinite else "",
        )
        for m in found
    ]
    _print_table(("metric", "steps", "kind", "holds"), rows)


COMMANDS: Final = (projects, runs, show, metrics)


def _api(server: str | None) -> "Api":
    from weir._api import Api

    return Api(server)


def _run_json(run: "RunView") -> dict[str, Any]:
    names = ("project", "id", "name", "group", "job_type", "user", "notes", "state", "tags")
    times = ("created", "finished", "last_seen")
    rest = ("world_size", "ranks", "config", "summary", "meta")
    return {name: getattr(run, name) for name in (*names, *times, *rest)}


def _cell(run: "RunView", column: str) -> str:
    space, _, path = column.partition(".")
    values = {"config": run.config, "summary": run.summary, "meta": run.meta}.get(space, {})
    return _shown(values[path]) if path in values else ""


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    return value if isinstance(value, str) else json.dumps(value, default=str)


def _styled(state: str) -> str:
    return f"[{_STATE_STYLES.get(state, 'default')}]{state}[/]"


def _ago(moment: datetime | None) -> str:
    """Return how long ago something was, as people say it."""
    if moment is None:
        return ""
    seconds = max(0, int((datetime.now(UTC) - moment).total_seconds()))
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size:
            return f"{seconds // size} {unit} ago"
    return f"{seconds} s ago"


def _print_facts(run: "RunView") -> None:
    facts = {
        "run": run.path,
        "name": run.name,
        "state": _styled(run.state),
        "tags": ", ".join(run.tags),
        "group": run.group,
        "job type": run.job_type,
        "user": run.user,
        "created": _ago(run.created),
        "finished": _ago(run.finished),
        "ranks": str(run.ranks),
        "notes": run.notes,
    }
    _print_table(("", ""), [(name, text) for name, text in facts.items() if text], header=False)


def _print_table(
    columns: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    right: Sequence[str] = (),
    header: bool = True,
) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, pad_edge=False, show_header=header)
    for column in columns:
        table.add_column(column, justify="right" if column in right else "left", overflow="fold")
    markup = {_styled(state) for state in _STATE_STYLES}
    for row in rows:
        table.add_row(*(cell if cell in markup else escape(cell) for cell in row))
    Console().print(table)


def _print_json(answer: Any) -> None:
    click.echo(json.dumps(_json_ready(answer), indent=1, allow_nan=False))


def _json_ready(value: Any) -> Any:
    """Return what JSON can say: times as ISO 8601, NaN and infinities as text."""
    match value:
        case dict():
            return {key: _json_ready(each) for key, each in value.items()}
        case list() | tuple():
            return [_json_ready(each) for each in value]
        case datetime():
            return value.isoformat()
        case float() if not math.isfinite(value):
            return str(value)
    return value
