"""`weir sql`: ask anything from a shell, a script, or a prompt of its own."""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final, NoReturn

import click

from weir._api_commands import open_api
from weir._printing import grouped
from weir._sql_command_formats import BINARY, FORMATS, format_of, show_table, write
from weir._sql_command_views import print_views
from weir.errors import Retryable, UsageError, WeirError

if TYPE_CHECKING:
    from weir._api import Api

_TABLE_ROWS: Final = 1_000  # of a table where nobody said how many
_REFUSED, _WRONG_CALL, _NO_ANSWER, _INTERRUPTED = 1, 2, 3, 130
_CLEAR: Final = "\x1b[H\x1b[2J"


@dataclass(frozen=True)
class Wish:
    """How an answer is wanted.

    Attributes:
        form: One of `FORMATS`.
        path: Where to write it; None = stdout.
        parameters: Values of `{name:Type}`: texts and lists.
        limit: Rows at most; None = 1 000 for a table, else all.
    """

    form: str = "table"
    path: Path | None = None
    parameters: dict[str, Any] = field(default_factory=dict)
    limit: int | None = None


@click.command()
@click.argument("statement", required=False, default="")
@click.option("-f", "--file", "source", type=click.File(), help="Read the statement from a file.")
@click.option("--format", "form", type=click.Choice(FORMATS), help="Default: table, or by -o.")
@click.option("-o", "--output", "path", type=click.Path(path_type=Path), help="Write to a file.")
@click.option("--param", "params", multiple=True, metavar="NAME=VALUE", help="For {NAME:Type}.")
@click.option("--limit", type=click.IntRange(1), help="Rows at most; a table shows 1 000.")
@click.option("--watch", "every_s", type=click.FloatRange(0.1), help="Ask again every S seconds.")
@click.option(
    "--schema", "view", is_flag=False, flag_value="", help="Show the views, or one's columns."
)
@click.option("--server", help="host:port; default as for weir.init().")
def sql(
    statement: str,
    source: Any,
    form: str | None,
    path: Path | None,
    params: tuple[str, ...],
    limit: int | None,
    every_s: float | None,
    view: str | None,
    server: str | None,
) -> None:
    """Ask one SELECT over all that was recorded (docs/sql.md).

    Without a STATEMENT it is read from stdin; at a terminal you get a prompt. Ends with 1 when the
    statement is refused, 2 for a wrong call, 3 when no answer came, 130 after Ctrl-C.
    """
    try:
        wish = Wish(format_of(form, path), path, _parameters(params), limit)
        _check(wish, every_s)
        with open_api(server) as api:
            if view is not None:
                print_views(api.views(), view)
                return
            text = statement if statement not in ("", "-") else _read(source)
            if not text.strip():
                _prompt(api, wish)
            elif every_s:
                watch(api, text, wish, every_s)
            else:
                answer(api, text, wish)
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)
    except WeirError as error:
        _leave(error)


def answer(api: "Api", text: str, wish: Wish) -> None:
    """Ask once and write the answer; Ctrl-C ends the statement on the server, too.

    Raises:
        WeirError: No whole answer; a file of that name is as it was before.
    """
    limit = wish.limit or (_TABLE_ROWS if wish.form == "table" else None)
    with api.sql(text, wish.parameters, limit=limit) as result:
        if wish.form == "table" and wish.path is None:
            count = show_table(result)
        else:
            with _opened(wish.path) as out:
                count = write(result, "csv" if wish.form == "table" else wish.form, out)
    if result.cut:
        click.echo(f"the first {grouped(count)} rows; --limit shows more", err=True)
    elif wish.form == "table" and sys.stdout.isatty():
        rows = "1 row" if count == 1 else f"{grouped(count)} rows"
        click.echo(f"{rows} in {result.seconds:.2f} s", err=True)


def watch(api: "Api", text: str, wish: Wish, every_s: float) -> None:
    """Ask again and again until Ctrl-C; a server that is away for a while is waited for."""
    clear = sys.stdout.isatty() and wish.form == "table" and wish.path is None
    try:
        while True:
            if clear:
                click.echo(f"{_CLEAR}every {every_s:g} s: {datetime.now().astimezone():%X}\n")
            try:
                answer(api, text, wish)
            except Retryable as error:
                click.echo(f"weir: {error}", err=True)
            time.sleep(every_s)
    except KeyboardInterrupt:
        return


@contextmanager
def _opened(path: Path | None) -> Iterator[BinaryIO]:
    """Open what is written to; a file appears when it is whole."""
    if path is None:
        yield sys.stdout.buffer
        sys.stdout.flush()
        return
    part = path.with_name(f"{path.name}.part")
    try:
        with part.open("wb") as file:
            yield file
        part.replace(path)
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        part.unlink(missing_ok=True)


def _read(source: Any) -> str:
    """Return the statement that a file or stdin holds; "" = a terminal, where nothing waits."""
    if source is not None:
        return str(source.read())
    return "" if sys.stdin.isatty() else sys.stdin.read() or ";"


def _parameters(params: tuple[str, ...]) -> dict[str, Any]:
    pairs = [each.partition("=") for each in params]
    wrong = [name for name, equals, _ in pairs if not (name and equals)]
    if wrong:
        raise UsageError(f"--param {wrong[0]!r} names no value", hint="write NAME=VALUE")
    return {name: _list_or_text(value) for name, _, value in pairs}


def _list_or_text(value: str) -> Any:
    """Return `["a", 1]` as the list it is; everything else is text, which the server reads by its type."""
    try:
        found = json.loads(value) if value.startswith("[") else value
    except ValueError:
        return value
    return found


def _check(wish: Wish, every_s: float | None) -> None:
    if wish.form in BINARY and wish.path is None and sys.stdout.isatty():
        raise UsageError(f"{wish.form} is nothing for a terminal", hint="-o FILE")
    if wish.form in BINARY and wish.path is None and every_s:
        raise UsageError(f"--watch cannot write one {wish.form} behind another", hint="-o FILE")


def _prompt(api: "Api", wish: Wish) -> None:
    from weir._sql_command_prompt import talk

    talk(api, wish)


def _leave(error: WeirError) -> NoReturn:
    click.echo(f"weir: {error}", err=True)
    if isinstance(error, UsageError):
        sys.exit(_WRONG_CALL)
    sys.exit(_NO_ANSWER if isinstance(error, Retryable) else _REFUSED)
