"""`weir logs`: what the processes of a run printed, and what they print now."""

import json
import re
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, get_args

import click

from weir._api_commands import open_api
from weir._api_nodes import MOST_LINES, LevelName, StreamName, lines_request
from weir._settings import Settings
from weir._terminal_text import safe_text
from weir.errors import Retryable, UsageError

if TYPE_CHECKING:
    from weir._api import Api
    from weir._api_run import RunView

_POLL_S: Final = 0.5
_LOOK_S: Final = 2.0  # how often a follower asks whether the run has ended
_LAST_WORDS_S: Final = 30.0  # how long lines are waited for of an agent that has not said its last
_AWAY_S: Final = 5.0
_PAGE: Final = 10_000
_UNITS_S: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_INTERRUPTED: Final = 130
_LEVELS: Final = {10: "debug", 20: "info", 30: "warning", 40: "error", 50: "critical"}


@click.command()
@click.argument("run")
@click.option("-f", "--follow", is_flag=True, help="Go on with new lines until the run has ended.")
@click.option("--rank", "ranks", multiple=True, type=click.IntRange(0), help="Only this rank.")
@click.option("--stream", "streams", multiple=True, type=click.Choice(get_args(StreamName)))
@click.option("--grep", "search", default="", metavar="WORDS", help="Lines with all these words.")
@click.option(
    "--level", type=click.Choice(get_args(LevelName)), help="Records of logging from here on."
)
@click.option(
    "-n",
    "--lines",
    type=click.IntRange(0, MOST_LINES),
    help="The last so many; default 200, with --since all.",
)
@click.option("--since", default="", metavar="AGE", help="Not older than, e.g. 90s, 10m, 2h, 1d.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per line.")
@click.option("--server", help="host:port; default as for weir.init().")
def logs(
    run: str,
    ranks: tuple[int, ...],
    streams: tuple[str, ...],
    search: str,
    level: str | None,
    lines: int | None,
    since: str,
    server: str | None,
    *,
    follow: bool,
    as_json: bool,
) -> None:
    """Show what the processes of RUN (project/run_id, or the id) printed.

    Lines come by time; where several ranks print, each line says whose it is. Colours are kept when
    they go to a terminal.
    """
    path = run if "/" in run else f"{Settings.load().project}/{run}"
    last = lines if lines is not None else MOST_LINES if since else 200
    request = {
        "search": search,
        "ranks": ranks,
        "streams": streams,
        "level": level,
        "since": datetime.now(UTC) - age(since) if since else None,
    }
    with open_api(server) as api:
        view = api.run(path)
        written = _Written(
            as_json=as_json, whose=max(view.ranks, view.world_size) > 1 and len(ranks) != 1
        )
        log = _Log(api, view, request)
        try:
            written.write(log.tail(last))
            if follow:
                for page in log.follow():
                    written.write(page)
        except KeyboardInterrupt:
            sys.exit(_INTERRUPTED)


def age(text: str) -> timedelta:
    """Return an age such as `90s`, `10m`, `2h`, `1d`. Raises `UsageError`."""
    found = re.fullmatch(r"(\d{1,9})\s*([smhd])", text.strip())
    if not found:
        raise UsageError(f"{text!r} is no age", hint="write 90s, 10m, 2h or 1d")
    return timedelta(seconds=int(found[1]) * _UNITS_S[found[2]])


@dataclass
class _Written:
    """Writes pages of lines to stdout."""

    as_json: bool
    whose: bool

    def write(self, lines: list[dict[str, Any]]) -> None:
        colours = _is_terminal()
        for line in lines:
            text = _as_json(line) if self.as_json else self._shown(line, colours=colours)
            click.echo(text, color=True)  # what stays in is meant to
        sys.stdout.flush()

    def _shown(self, line: dict[str, Any], *, colours: bool) -> str:
        level = line["level"] if line["stream"] == "logging" else 0
        told = f"{_LEVELS.get(level, str(level)).upper()} " if level else ""
        head = f"[{line['rank']}] " if self.whose else ""
        return f"{head}{told}{safe_text(line['line'], colours=colours)}"


def _is_terminal() -> bool:
    return sys.stdout.isatty()


def _as_json(line: dict[str, Any]) -> str:
    told = {name: value for name, value in line.items() if name not in ("cursor", "time_unix_us")}
    moment = datetime.fromtimestamp(line["time_unix_us"] / 1e6, UTC).isoformat()
    return json.dumps({"time": moment, **told})


@dataclass
class _Log:
    """A run's lines: first the end of what there is, then what comes."""

    api: "Api"
    view: "RunView"
    request: dict[str, Any]
    cursor: str = ""
    _ended_at_s: float | None = field(default=None, init=False)
    _looked_s: float = field(default=float("-inf"), init=False)

    def tail(self, count: int) -> list[dict[str, Any]]:
        """Return the last so many lines."""
        lines = self._ask(max(count, 1), newest=True)
        return lines if count else []

    def follow(self) -> Iterator[list[dict[str, Any]]]:
        """Yield new lines until the run has ended and its last line is here."""
        away = False
        while True:
            try:
                drained = self._is_over()  # asked before the lines: then they are the last
                lines = self._ask(_PAGE, newest=False)
            except Retryable as error:
                if not away:
                    click.echo(f"weir: {error}; waiting", err=True)
                away = True
                time.sleep(_AWAY_S)
                continue
            away = False
            if lines:
                yield lines
            elif drained:
                return
            else:
                time.sleep(_POLL_S)

    def _ask(self, limit: int, *, newest: bool) -> list[dict[str, Any]]:
        from weir._api_tables import read_arrow

        request = lines_request([self.view._ref()], **self.request)
        request.limit, request.newest, request.after = limit, newest, self.cursor
        lines: list[dict[str, Any]] = read_arrow(
            self.api._transport.read_lines(request)
        ).to_pylist()
        if lines:
            self.cursor = lines[-1]["cursor"]
        return lines

    def _is_over(self) -> bool:
        """Whether no process of the run and no agent of it says anything any more."""
        now_s = time.monotonic()
        if now_s - self._looked_s < _LOOK_S:
            return False
        self._looked_s = now_s
        if self.view.reload().state == "running":
            self._ended_at_s = None
            return False
        if self._ended_at_s is None:
            self._ended_at_s = now_s
        speaking = any(s.role == "agent" and s.state == "running" for s in self.view.sessions())
        return not speaking or now_s - self._ended_at_s > _LAST_WORDS_S
