"""The commands `weir deadletter list, show, retry, drop`: direct access to the store."""

from __future__ import annotations

import getpass
import json
import re
import socket
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NoReturn
from uuid import UUID

import click

from weir_server.errors import StartupError
from weir_server.flags import load_given, settings_flags
from weir_server.plain_words import in_words
from weir_store.records import DeadLetter

if TYPE_CHECKING:  # the commands are listed by every `weir`: what they need is loaded when they run
    from weir_store.base import Inserter
    from weir_store.dead_letters import DeadLetters

_ID: Final = re.compile(r"(?P<producer>[0-9a-f]{32}):(?P<seq>\d{1,20})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Store:
    letters: DeadLetters
    inserter: Inserter


def _of_the_store(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the flags that say where the store is."""
    where = click.option("--data-dir", metavar="DIR", help="The Weir of this data directory.")
    return settings_flags("up")(where(in_words(command)))


@click.group()
def deadletter() -> None:
    """Look at frames that could not be stored; retry them, or give them up."""


@deadletter.command("list")
@_of_the_store
@click.option("--project", default="", help="Of this project only.")
@click.option("--run", "run_id", default="", help="Of the run with this id only.")
@click.option("--state", type=click.Choice(["kept", "retried", "dropped"]), default=None)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON list.")
def list_letters(
    project: str, run_id: str, state: str | None, *, as_json: bool, **flags: Any
) -> None:
    """List dead letters: id, state, when, whose, why."""
    from weir_server.deadletter import shown

    with _store(flags) as store:
        found = store.letters.list_letters(project=project, run_id=run_id, state=state or "")
    if as_json:
        click.echo(json.dumps([shown.as_json(each) for each in found], indent=1))
        return
    for letter in found:
        click.echo(shown.line(letter))
    if not found:
        click.echo("there are no dead letters", err=True)


@deadletter.command("show")
@_of_the_store
@click.argument("letter_id", metavar="ID")
def show(letter_id: str, **flags: Any) -> None:
    """Show what is in a dead letter."""
    from weir_server.deadletter import shown
    from weir_server.deadletter.retry import StillDead, opened

    with _store(flags) as store:
        ((letter, entry),) = _read(store.letters, [letter_id])
    frame, problem = None, ""
    try:
        frame = opened(letter, entry)
    except StillDead as error:
        problem = str(error)
    for line in shown.lines(letter, frame, problem):
        click.echo(line)


@deadletter.command("retry")
@_of_the_store
@click.argument("letter_ids", metavar="ID…", nargs=-1)
@click.option("--all", "every", is_flag=True, help="All that are kept.")
@click.option("--project", default="", help="With --all: of this project only.")
@click.option("--run", "run_id", default="", help="With --all: of the run with this id only.")
def retry(
    letter_ids: Sequence[str], project: str, run_id: str, *, every: bool, **flags: Any
) -> NoReturn:
    """Store dead letters after all, as the writer would have; exit code 1 when one fails."""
    from weir_server.deadletter import retry as retrying
    from weir_server.deadletter import shown

    _check_choice(letter_ids, every=every, some=bool(project or run_id))
    failed = 0
    with _store(flags) as store:
        if every:
            kept = store.letters.list_letters(project=project, run_id=run_id, state="kept")
            letter_ids = [shown.id_of(letter) for letter in kept]
        for letter, entry in _read(store.letters, letter_ids):
            try:
                frame = retrying.retry(
                    letter,
                    entry,
                    letters=store.letters,
                    inserter=store.inserter,
                    by=_who(),
                    at_unix_us=_unix_us(),
                )
            except retrying.StillDead as error:
                failed += 1
                click.echo(f"{shown.id_of(letter)}  still dead: {error}", err=True)
            else:
                click.echo(f"{shown.id_of(letter)}  stored, {frame.point_count} points")
    sys.exit(int(failed > 0))


@deadletter.command("drop")
@_of_the_store
@click.argument("letter_ids", metavar="ID…", nargs=-1, required=True)
@click.option("--yes", is_flag=True, help="Do not ask.")
def drop(letter_ids: Sequence[str], *, yes: bool, **flags: Any) -> None:
    """Give dead letters up; they stay counted as dead, and the run shows who did it."""
    from weir_server.deadletter import shown
    from weir_store.dead_letters import RETRIED

    if not yes:
        click.confirm(f"give {len(letter_ids)} dead letters up?", abort=True)
    with _store(flags) as store:
        for letter, entry in _read(store.letters, letter_ids):
            if letter.state == RETRIED:
                raise StartupError(f"{shown.id_of(letter)} is stored, there is nothing to give up")
            store.letters.mark_dropped(letter, entry, by=_who(), at_unix_us=_unix_us())
            click.echo(f"{shown.id_of(letter)}  dropped")


def _check_choice(letter_ids: Sequence[str], *, every: bool, some: bool) -> None:
    if bool(letter_ids) == every:
        raise StartupError("say which letters", hint="name their ids, or --all")
    if some and not every:
        raise StartupError("--project and --run choose among --all", hint="leave them out")


@contextmanager
def _store(flags: dict[str, Any]) -> Iterator[_Store]:
    """Open the store of the Weir that runs in the data directory, else the one of the settings."""
    from weir_server.doctor import as_running
    from weir_server.store import connect_store
    from weir_server.up.state import read_running
    from weir_store.dead_letters import DeadLetters
    from weir_store.inserter import ClickHouseInserter
    from weir_store.migrate import check

    loaded = load_given(flags, up__data_dir=flags.get("data_dir"))
    settings = loaded.settings
    running = read_running(settings.up.data_dir)
    if running and "clickhouse.url" not in loaded.sources:
        settings = as_running(settings, running)
    store = settings.clickhouse
    clickhouse = connect_store(store)
    try:
        check(clickhouse, store.database)
        inserter = ClickHouseInserter(clickhouse, store.database, cluster=store.cluster)
        yield _Store(DeadLetters(clickhouse, store.database, inserter), inserter)
    finally:
        clickhouse.close()


def _read(letters: DeadLetters, letter_ids: Sequence[str]) -> Iterator[tuple[DeadLetter, bytes]]:
    """Yield letters one by one: each may weigh megabytes."""
    for letter_id in letter_ids:
        match = _ID.fullmatch(letter_id)
        if match is None:
            raise StartupError(
                f"{letter_id!r} is no id of a dead letter", hint="see `weir deadletter list`"
            )
        found = letters.read_letter(UUID(hex=match["producer"]), int(match["seq"]))
        if found is None:
            raise StartupError(
                f"there is no dead letter {letter_id}", hint="see `weir deadletter list`"
            )
        yield found


def _who() -> str:
    return f"{getpass.getuser()}@{socket.gethostname()}"


def _unix_us() -> int:
    return time.time_ns() // 1_000
