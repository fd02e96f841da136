"""What a terminal would show in the end is what is recorded."""

from __future__ import annotations

import io
import time
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.progress import Progress

from weir._console.screen import Screen

SECOND_US = 1_000_000


def show(pieces: list[bytes], *, every_us: int = 50_000, start_us: int = SECOND_US) -> list[str]:
    """Return the lines told of pieces written one after the other."""
    screen, now_us, told = Screen(), start_us, []
    for piece in pieces:
        told += screen.feed(piece, now_us)
        now_us += every_us
        told += screen.tick(now_us)
    told += screen.end(now_us)
    return [text.decode() for _, text in told]


def split(content: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted(cut % (len(content) + 1) for cut in cuts), len(content)]
    return [content[a:b] for a, b in pairwise(edges)]


PLAIN = b"one\ntwo\r\n\n\x1b[31mred\x1b[0m\ttab\nh\xc3\xa9\nlast"


@given(st.lists(st.integers(0, 1000), max_size=20))
def test_lines_are_the_same_however_they_come_in_pieces(cuts):
    told = show(split(PLAIN, cuts))
    assert told == ["one", "two", "", "\x1b[31mred\x1b[0m\ttab", "hé", "last"]


@given(st.binary(max_size=400), st.lists(st.integers(0, 1000), max_size=5))
def test_no_bytes_whatever_break_it(content, cuts):
    for piece in show_raw(split(content, cuts)):
        assert b"\n" not in piece
        assert b"\r" not in piece


def show_raw(pieces: list[bytes]) -> list[bytes]:
    screen, told = Screen(), []
    for piece in pieces:
        told += screen.feed(piece, SECOND_US)
    told += screen.end(SECOND_US)
    return [text for _, text in told]


def test_colours_stay_and_all_else_that_moves_or_titles_goes():
    written = b"\x1b[1;31mred\x1b[0m\x1b]0;title\x07 \x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\\x1b[?25l\a!\n"
    assert show([written]) == ["\x1b[1;31mred\x1b[0m link!"]
    assert show([bytes([b]) for b in written]) == ["\x1b[1;31mred\x1b[0m link!"]


def test_a_bar_is_told_every_ten_seconds_and_as_it_ended():
    pieces = [b"\r%d%%" % n for n in range(100)]
    assert show([*pieces, b"\n"], every_us=SECOND_US) == [
        "8%", "18%", "28%", "38%", "48%", "58%", "68%", "78%", "88%", "98%", "99%"
    ]  # fmt: skip


def test_a_quick_bar_is_one_line():
    assert show([*(b"\r%d%%" % n for n in range(100)), b"\n", b"after\n"]) == ["99%", "after"]


def test_a_bar_that_wipes_itself_away_leaves_nothing():
    assert show([b"\rdownload 10%", b"\rdownload 99%", b"\r            \r", b"next\n"]) == ["next"]


def test_backspaces_take_letters_away():
    assert show([b"12%", b"\b\b\b13%", b"\b\b\b99%\n"]) == ["99%"]


def test_bars_below_each_other_are_told_once_each_as_tqdm_draws_them():
    pieces = []
    for outer in range(3):
        pieces.append(b"\router %d" % outer)
        pieces += [b"\n\rinner %d\x1b[A" % inner for inner in range(50)]
    pieces += [b"\n\r       \r\x1b[A", b"\router 3", b"\n", b"after\n"]
    told = show(pieces, every_us=10_000)
    assert told[-2:] == ["outer 3", "after"]
    assert len(told) <= 4  # and how the first row stood when it was first left


def test_lines_above_bars_of_rich_are_told_and_the_bars_as_they_ended():
    class Terminal(io.StringIO):
        pieces: list[bytes]

        def write(self, text: str) -> int:
            self.pieces.append(text.encode())
            return len(text)

    terminal = Terminal()
    terminal.pieces = []
    console = Console(file=terminal, force_terminal=True, width=70)
    with Progress(console=console, refresh_per_second=50) as progress:
        tasks = [progress.add_task(name, total=20) for name in ("alpha", "beta")]
        for step in range(20):
            for task in tasks:
                progress.update(task, advance=1)
            if step % 7 == 0:
                progress.console.print("line", step)
            time.sleep(0.02)
    told = show(terminal.pieces)
    plain = [text for text in told if "line" in text]
    assert len(plain) == 3
    assert sum("alpha" in text and "100%" in text for text in told) == 1
    assert sum("beta" in text and "100%" in text for text in told) == 1
    assert len(told) <= 7


def test_a_row_that_rests_above_the_cursor_is_told_within_a_second_or_so():
    screen = Screen()
    told = list(screen.feed(b"\rbar 1\n\rbar 2\x1b[A", SECOND_US))
    told += screen.feed(b"\rsaid above\n", 2 * SECOND_US)
    told += screen.feed(b"\rbar 2 again", 3 * SECOND_US)
    told += screen.tick(4 * SECOND_US)
    assert (2 * SECOND_US, b"said above") in told


def test_rows_far_up_or_without_end_take_bounded_room():
    screen = Screen()
    list(screen.feed(b"\x1b[999999A" + b"x\n" * 5000 + b"\x1b[3A", SECOND_US))
    list(screen.feed(b"y" * 10_000_000, SECOND_US))
    assert len(screen._rows) <= 201
    assert sum(len(row.text) for row in screen._rows) < 200_000


def test_what_is_skipped_is_counted_and_the_line_it_begins_is_whole():
    screen = Screen()
    assert screen.skip(b"a\nb\nbegin") == 2
    assert [text for _, text in screen.feed(b"ning\n", SECOND_US)] == [b"beginning"]
