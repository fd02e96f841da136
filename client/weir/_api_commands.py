"""`weir projects`, `runs`, `show`, `metrics` and `stop`: asking the server from a shell."""

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

import click

from weir._printing import ago, lasting, print_json, print_table, styled

if TYPE_CHECKING:
    from datetime import datetime

    from weir._api import Api
    from weir._api_run import RunView
    from weir._api_views import EventView, SessionView


_SHOWN_EVENTS: Final = 10
_PROCESS: Final = ("rank", "role", "node", "pid", "state", "reason", "seen")
_SHOWN_HOSTS: Final = 8


def asking(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options every command here has."""
    command = click.option("--json", "as_json", is_flag=True, help="Print JSON.")(command)
    return click.option("--server", help="host:port; default as for weir.init().")(command)


@click.command()
@asking
def projects(server: str | None, *, as_json: bool) -> None:
    """List projects, the most recently active first."""
    with open_api(server) as api:
        found = api.projects()
    if as_json:
        print_json([asdict(project) for project in found])
        return
    rows = [(p.name, str(p.runs), str(p.running), ago(p.last_activity)) for p in found]
    print_table(("project", "runs", "running", "active"), rows, right=("runs", "running"))


@click.command()
@click.argument("project", required=False, default="")
@click.option("--where", default="", help="Filter, e.g. \"config.lr < 0.1 AND state = 'failed'\".")
@click.option("--order-by", default="-created", show_default=True, help="Field; - for descending.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1))
@click.option("--column", "columns", multiple=True, help="config.* or summary.* path to show.")
@asking
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
    with open_api(server) as api:
        matching = api.runs(project, where, order_by, limit, columns)
        found, total = list(matching), matching.total
    if as_json:
        print_json([_run_json(run) for run in found])
        return
    if not found:
        click.echo("no runs match" if where or project else "no runs yet")
        return
    rows = [
        (
            run.path,
            run.name,
            styled(run.state),
            str(run.ranks),
            ago(run.created),
            *(_cell(run, c) for c in columns),
        )
        for run in found
    ]
    print_table(("run", "name", "state", "ranks", "created", *columns), rows, right=("ranks",))
    if total > len(found):
        click.echo(f"{len(found)} of {total} runs; --limit shows more")


@click.command()
@click.argument("run")
@asking
def show(run: str, server: str | None, *, as_json: bool) -> None:
    """Show what RUN (project/run_id) is, did and came to; --json also tells code, machine, packages."""
    with open_api(server) as api:
        view = api.run(run)
        sessions, events = view.sessions(), view.events(limit=_SHOWN_EVENTS)
    if as_json:
        lists = {"sessions": list(map(asdict, sessions)), "events": list(map(asdict, events))}
        print_json({**_run_json(view), **lists})
        return
    _print_facts(view, sessions)
    for title, values in (("config", view.config), ("summary", view.summary)):
        if values:
            print_table((title, ""), [(path, _shown(values[path])) for path in values])
    processes = [_process_cells(session) for session in sessions]
    print_table(_PROCESS, processes, right=("rank", "pid"))
    rows = [
        (ago(e.time), styled(e.severity), e.kind, str(e.rank), _step(e.step), _told(e))
        for e in events
    ]
    if rows:
        columns = ("event", "severity", "kind", "rank", "step", "title")
        print_table(columns, rows, right=("rank", "step"))


@click.command()
@click.argument("run")
@click.option("--search", default="", help="Words, or a glob such as 'val/*'.")
@asking
def metrics(run: str, search: str, server: str | None, *, as_json: bool) -> None:
    """List the metrics of RUN (project/run_id)."""
    with open_api(server) as api:
        found = api.run(run).metrics(search)
    if as_json:
        print_json([asdict(metric) for metric in found])
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
    print_table(("metric", "steps", "kind", "holds"), rows)


@click.command()
@click.argument("run")
@click.option("--reason", default="", help="Why; its processes and the run page say so.")
@asking
def stop(run: str, reason: str, server: str | None, *, as_json: bool) -> None:
    """Ask RUN (project/run_id) to stop: its processes see `run.should_stop`."""
    with open_api(server) as api:
        view = api.run(run)
        view.stop(reason)
    if as_json:
        print_json({"run": view.path, "state": view.state})
    else:
        running = view.state == "running"
        click.echo(f"asked {view.path} to stop" if running else f"{view.path} is {view.state}")


COMMANDS: Final = (projects, runs, show, metrics, stop)


def open_api(server: str | None) -> "Api":
    """Connect as the settings say, or to `server`."""
    from weir._api import Api

    return Api(server)


def _run_json(run: "RunView") -> dict[str, Any]:
    names = ("project", "id", "name", "group", "job_type", "user", "notes", "state", "tags")
    times = ("created", "finished", "last_seen", "duration_s")
    rest = ("world_size", "ranks", "parent", "fork_step", "rewinds", "config", "summary", "meta")
    return {name: getattr(run, name) for name in (*names, *times, *rest)}


def _cell(run: "RunView", column: str) -> str:
    space, _, path = column.partition(".")
    values = {"config": run.config, "summary": run.summary, "meta": run.meta}.get(space, {})
    return _shown(values[path]) if path in values else ""


def _process_cells(process: "SessionView") -> tuple[str, ...]:
    return (
        str(process.rank),
        process.role or "trainer",
        process.node,
        str(process.pid),
        styled(process.state),
        process.reason,
        ago(process.last_seen),
    )


def _told(event: "EventView") -> str:
    """The title, and the first line of the body behind it."""
    return ": ".join(filter(None, (event.title, event.body.partition("\n")[0][:200])))


def _step(step: int | None) -> str:
    return "" if step is None else str(step)


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    return value if isinstance(value, str) else json.dumps(value, default=str)


def _print_facts(run: "RunView", sessions: "list[SessionView]") -> None:
    facts = {
        "run": run.path,
        "name": run.name,
        "state": styled(run.state),
        "reason": _reason(run, sessions),
        "tags": ", ".join(run.tags),
        "group": run.group,
        "job type": run.job_type,
        "user": run.user,
        "host": _hosts(sessions),
        "started": _moment(run.created),
        "finished": _moment(run.finished),
        "duration": lasting(run.duration_s),
        "ranks": str(run.ranks),
        "forked from": f"{run.parent} at step {run.fork_step}" if run.parent else "",
        "rewound to": ", ".join(map(str, run.rewinds)),
        "notes": run.notes,
    }
    print_table(("", ""), [(name, text) for name, text in facts.items() if text], header=False)


def _reason(run: "RunView", sessions: "list[SessionView]") -> str:
    """Why it is where it is, as the process that brought it there says."""
    told = [s.reason for s in sessions if s.reason and s.state == run.state]
    return told[0] if told else ""


def _hosts(sessions: "list[SessionView]") -> str:
    nodes = sorted({session.node for session in sessions})
    more = f" and {len(nodes) - _SHOWN_HOSTS} more" if len(nodes) > _SHOWN_HOSTS else ""
    return ", ".join(nodes[:_SHOWN_HOSTS]) + more


def _moment(moment: "datetime | None") -> str:
    """A time in this machine's zone, and how long ago that is."""
    return f"{moment.astimezone():%Y-%m-%d %H:%M:%S %Z} ({ago(moment)})" if moment else ""
