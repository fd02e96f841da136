"""The prompt of `weir sql`: entries over several lines until `;`, history, completion, commands."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from weir._api_sql import SqlView
from weir._sql_command import Wish, answer
from weir._sql_command_formats import BINARY, FORMATS
from weir._sql_command_views import print_views
from weir.errors import UsageError, WeirError

if TYPE_CHECKING:
    from weir._api import Api

_HELP: Final = """\
\\d            the views            \\d VIEW    its columns
\\format NAME  table, csv, json …   \\limit N   rows at most
\\o FILE       write answers there  \\o         write them here again
\\q            leave (Ctrl-D)       Ctrl-C     end the statement
A statement ends with ;"""
_KEYWORDS: Final = (
    "SELECT", "FROM", "WHERE", "GROUP BY", "ORDER BY", "LIMIT", "HAVING", "WITH", "AS", "ON", "USING",
    "JOIN", "LEFT JOIN", "ASOF JOIN", "UNION ALL", "DISTINCT", "AND", "OR", "NOT", "IN", "BETWEEN",
    "LIKE", "ILIKE", "IS NULL", "CASE", "WHEN", "THEN", "ELSE", "END", "DESC", "ASC", "OVER",
    "PARTITION BY", "INTERVAL",
)  # fmt: skip
_WORD: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\.?\w*$")
_VIEW_USED: Final = re.compile(r"\b(?:from|join)\s+(\w+)(?:\s+(?:as\s+)?(\w+))?", re.IGNORECASE)


class Talk:
    """What is said at the prompt, one entry at a time; knows no terminal."""

    def __init__(self, api: "Api", wish: Wish) -> None:
        self._api = api
        self._wish = wish

    def take(self, entry: str) -> bool:
        """Do what an entry says; return whether to go on. What fails is said, and ends nothing."""
        entry = entry.strip()
        try:
            if entry.startswith("\\"):
                return self._command(*entry[1:].split(maxsplit=1))
            if entry.rstrip(";").strip():
                answer(self._api, entry, self._wish)
        except WeirError as error:
            click.echo(f"weir: {error}", err=True)
        except KeyboardInterrupt:
            click.echo("ended", err=True)
        return True

    def _command(self, name: str = "?", argument: str = "") -> bool:
        argument = argument.strip().rstrip(";")
        match name.rstrip(";"):
            case "q" | "quit":
                return False
            case "d":
                print_views(self._api.views(), argument)
            case "format" if argument in FORMATS:
                self._use(replace(self._wish, form=argument))
            case "format":
                raise UsageError(f"no format {argument!r}", hint=", ".join(FORMATS))
            case "limit":
                if not argument.isdecimal() or not int(argument):
                    raise UsageError(f"limit is {argument!r}", hint="1 or more")
                self._wish = replace(self._wish, limit=int(argument))
            case "o":
                self._wish = replace(self._wish, path=Path(argument) if argument else None)
            case "?" | "h" | "help":
                click.echo(_HELP)
            case unknown:
                raise UsageError(f"there is no \\{unknown}", hint="\\? lists what there is")
        return True

    def _use(self, wish: Wish) -> None:
        if wish.form in BINARY and wish.path is None:
            raise UsageError(f"{wish.form} is nothing for a terminal", hint="first \\o FILE")
        self._wish = wish


def is_whole(entry: str) -> bool:
    """Return whether Enter ends an entry: a command, or a statement with `;` behind it."""
    text = entry.strip()
    return not text or text.startswith("\\") or text.endswith(";")


def completions(
    views: Sequence[SqlView], functions: Sequence[str], before: str, whole: str
) -> Iterator[tuple[str, str]]:
    """Yield what may stand where the cursor is: the word, and what it is.

    Args:
        views: That SQL may ask.
        functions: That it may call.
        before: The entry up to the cursor.
        whole: The entry; the views it names behind the cursor count as well.
    """
    word = last_word(before)
    owner, dot, beginning = word.rpartition(".")
    there_are = {view.name for view in views}
    used = [(name, alias) for name, alias in _VIEW_USED.findall(whole) if name in there_are]
    named = {alias or name: name for name, alias in used} | {name: name for name, _ in used}
    columns = [
        (column.name, f"{view.name}: {column.about}", view.name)
        for view in views
        for column in view.columns
        if not named or view.name in named.values()
    ]
    if dot:
        wanted = named.get(owner, owner)
        known = [(name, about) for name, about, view in columns if view == wanted]
    else:
        known = [(view.name, view.about) for view in views]
        known += [(name, about) for name, about, _ in columns]
        known += [(keyword, "") for keyword in _KEYWORDS]
        known += [(f"{function}(", "function") for function in functions]
    seen: set[str] = set()
    for name, about in known:
        if beginning and name.lower().startswith(beginning.lower()) and name not in seen:
            seen.add(name)
            yield name, about


def last_word(before: str) -> str:
    """Return the word that is being typed, with the `view.` in front of it."""
    found = _WORD.search(before)
    return found[0] if found else ""


def talk(api: "Api", wish: Wish) -> None:
    """Hold a conversation at the terminal until Ctrl-D.

    Raises:
        UsageError: prompt_toolkit is not installed.
    """
    try:
        session = _session(api.views(), api.functions())
    except ImportError as error:
        raise UsageError(
            "the prompt needs prompt_toolkit, which is not installed",
            hint='pip install "weir[sql]", or give a statement: weir sql "SELECT …"',
        ) from error
    click.echo("Ask SQL over docs/sql.md; \\? for help.")
    one = Talk(api, wish)
    while True:
        try:
            entry = session.prompt("weir> ")
        except KeyboardInterrupt:  # forget what was typed
            continue
        except EOFError:
            return
        if not one.take(entry):
            return


def _session(views: Sequence[SqlView], functions: Sequence[str]) -> Any:
    from prompt_toolkit import PromptSession
    from prompt_toolkit.completion import Completer, Completion
    from prompt_toolkit.document import Document
    from prompt_toolkit.filters import Condition
    from prompt_toolkit.history import FileHistory, History, InMemoryHistory
    from prompt_toolkit.key_binding import KeyBindings

    class Words(Completer):
        def get_completions(self, document: Document, _event: Any) -> Iterator[Completion]:
            before = document.text_before_cursor
            length = len(last_word(before).rpartition(".")[2])
            for word, about in completions(views, functions, before, document.text):
                yield Completion(word, -length, display_meta=about)

    keys = KeyBindings()

    @keys.add("enter", filter=Condition(lambda: is_whole(session.default_buffer.text)))
    def _(event: Any) -> None:
        event.current_buffer.validate_and_handle()

    history: History = InMemoryHistory()
    if path := history_file():
        history = FileHistory(str(path))
    session: Any = PromptSession(
        history=history,
        completer=Words(),
        key_bindings=keys,
        multiline=True,
        complete_while_typing=False,
        prompt_continuation="   -> ",
    )
    return session


def history_file() -> Path | None:
    """Return where entries are remembered, readable to this user alone; None where nothing can be."""
    path = Path(click.get_app_dir("weir")) / "sql_history"
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.touch(0o600)
    except OSError:
        return None
    return path
