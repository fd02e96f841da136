"""The parts of the console's record, each by itself."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest

from weir._console.disk import RecordWriter
from weir._console.limit import LineLimit
from weir._console.logs import LogTap
from weir._console.messages import LOST, PRINTED, Channel, Sender, Unpacker, lost_count, read_words
from weir._console.pairs import Pairing
from weir._console.position import Position, read_position, write_position
from weir._console.records import LOGGING, STDERR, STDOUT, Line, list_files, read_lines
from weir._console.wrap import WriteTap


def line(number: int, text: str = "x", *, stream: int = STDOUT, level: int = 0) -> Line:
    return Line(number, 1_700_000_000_000_000 + number, stream, level, text)


def read_all(path: Path) -> list[Line]:
    return read_lines(str(path), 0, max_lines=1_000_000, max_bytes=1 << 30)[0]


def writer(folder: Path, **options) -> RecordWriter:
    return RecordWriter(str(folder), **{"cap_bytes": 1 << 30, "free_share": 1.0, **options})


# ── on disk ────────────────────────────────────────────────────────────────


def test_lines_come_back_as_they_were_written(tmp_path):
    written = [
        line(1, "é 🙂 \x1b[1m"),
        line(2, "", stream=STDERR),
        Line(2**63, 0, LOGGING, 255, "z"),
    ]
    assert writer(tmp_path).write(written)
    assert read_all(tmp_path / "00000001.lines") == written


def test_reading_goes_on_where_it_stopped(tmp_path):
    writer(tmp_path).write([line(n) for n in range(1, 11)])
    path = tmp_path / "00000001.lines"
    first, offset = read_lines(str(path), 0, max_lines=4, max_bytes=1 << 20)
    rest, end = read_lines(str(path), offset, max_lines=100, max_bytes=1 << 20)
    assert [each.number for each in first + rest] == list(range(1, 11))
    assert end == path.stat().st_size


@pytest.mark.parametrize("size", range(60))
def test_a_record_cut_anywhere_gives_whole_lines_only(tmp_path, size):
    writer(tmp_path).write([line(1, "first"), line(2, "second")])
    path = tmp_path / "00000001.lines"
    path.write_bytes(path.read_bytes()[:size])
    assert [each.text for each in read_all(path)] in ([], ["first"])


def test_a_damaged_line_is_not_shown(tmp_path):
    writer(tmp_path).write([line(1, "first"), line(2, "second")])
    path = tmp_path / "00000001.lines"
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    assert [each.text for each in read_all(path)] == ["first"]


def test_a_file_that_is_no_record_is_refused(tmp_path):
    (tmp_path / "00000001.lines").write_bytes(b"something else")
    with pytest.raises(ValueError, match="begins with"):
        read_all(tmp_path / "00000001.lines")


def test_a_record_rolls_its_files_and_stays_within_its_cap(tmp_path):
    record = writer(tmp_path, cap_bytes=12 << 20)
    batches = 0
    while record.write([line(n, "x" * 1000) for n in range(1000)]):
        batches += 1
    assert list_files(str(tmp_path)) == [1, 2, 3]
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 12 << 20
    assert batches == 12
    assert record.tell_lost() == 1000
    assert "room" in record.trouble


def test_a_new_file_never_takes_the_place_of_one_that_was_fetched(tmp_path):
    write_position(str(tmp_path), Position(7, 123))
    writer(tmp_path).write([line(1)])
    assert list_files(str(tmp_path)) == [8]


def test_a_position_that_cannot_be_read_is_the_beginning(tmp_path):
    assert read_position(str(tmp_path)) == Position(0, 0)
    (tmp_path / ".position").write_text("nonsense")
    assert read_position(str(tmp_path)) == Position(0, 0)
    write_position(str(tmp_path), Position(3, 14))
    assert read_position(str(tmp_path)) == Position(3, 14)
    assert [path.name for path in tmp_path.iterdir()] == [".position"]


# ── the limit ──────────────────────────────────────────────────────────────


def test_a_burst_of_a_minute_passes_and_then_so_many_a_second():
    limit = LineLimit(10)
    limit.refill(100.0)
    assert sum(limit.admit(10) for _ in range(1000)) == 600
    assert limit.tell() == 400
    limit.refill(101.0)
    assert sum(limit.admit(10) for _ in range(1000)) == 10


def test_long_lines_count_for_several():
    limit = LineLimit(10)
    limit.refill(1.0)
    assert sum(limit.admit(8 << 10) for _ in range(1000)) == 67  # 9 each


def test_a_clock_that_stands_or_goes_back_makes_no_room():
    limit = LineLimit(1)
    limit.refill(100.0)
    while limit.admit(0):
        pass
    limit.refill(50.0)
    assert limit.spent


# ── a record of logging, and its print ─────────────────────────────────────


def test_a_print_before_its_record_gets_the_level():
    pairing = Pairing()
    pairing.add(line(0, "WARNING:x:beware", stream=STDERR), 0)
    pairing.add(line(0, "x: beware", stream=LOGGING, level=30), 10, message="beware")
    assert [(each.text, each.level) for each in pairing.take(10**9)] == [("WARNING:x:beware", 30)]


def test_a_record_before_its_print_gives_its_level():
    pairing = Pairing()
    pairing.add(line(0, "x: beware", stream=LOGGING, level=30), 0, message="beware")
    pairing.add(line(0, "WARNING:x:beware", stream=STDERR), 10)
    assert [(each.text, each.level) for each in pairing.take(10**9)] == [("WARNING:x:beware", 30)]


def test_as_many_records_as_prints_of_one_message_find_each_other():
    pairing = Pairing()
    for _ in range(5):
        pairing.add(line(0, "same", stream=STDERR), 0)
        pairing.add(line(0, "x: same", stream=LOGGING, level=20), 1, message="same")
    assert [each.level for each in pairing.take(10**9)] == [20] * 5


def test_what_is_only_logged_or_only_printed_stays():
    pairing = Pairing()
    pairing.add(line(0, "printed"), 0)
    pairing.add(line(0, "x: logged", stream=LOGGING, level=20), 1)
    assert [each.text for each in pairing.take(10**9)] == ["printed", "x: logged"]
    assert not pairing


# ── messages ───────────────────────────────────────────────────────────────


def channel() -> Channel:
    made = Channel.open()
    os.set_blocking(made.source, False)
    return made


def test_messages_come_out_as_they_went_in_whatever_the_pieces():
    made = channel()
    made.sender.send_text(STDOUT, "é" * 5000)
    made.sender.send_record(LOGGING, 30, PRINTED, "a\x1fb\x1f")
    content = os.read(made.source, 1 << 20)
    unpacker = Unpacker()
    found = [m for index in range(len(content)) for m in unpacker.feed(content[index : index + 1])]
    texts = b"".join(each.payload for each in found if each.kind == STDOUT).decode()
    assert texts == "é" * 5000
    assert found[-1] == (LOGGING, 30, PRINTED, b"a\x1fb\x1f")


def test_a_full_pipe_is_not_waited_for_and_what_is_lost_is_told():
    made = channel()
    for _ in range(1000):
        made.sender.send_text(STDOUT, "x" * 4000)
    lost = made.sender.lost
    assert lost > 0
    received = list(Unpacker().feed(os.read(made.source, 1 << 22)))
    assert len(received) == 1000 - lost
    made.sender.send_text(STDOUT, "again")
    told = list(Unpacker().feed(os.read(made.source, 1 << 20)))
    assert [each.kind for each in told] == [LOST, STDOUT]
    assert lost_count(told[0]) == lost
    assert made.sender.lost == 0


def test_a_record_of_any_length_is_one_message():
    made = channel()
    made.sender.send_record(LOGGING, 20, 0, "name\x1f" + "m" * 100_000 + "\x1f [Error: x]")
    (message,) = Unpacker().feed(os.read(made.source, 1 << 20))
    text, said = read_words(message.payload)
    assert text.startswith("name: mmm")
    assert text.endswith("[cut]")
    assert said.startswith("mmm")


# ── taps ───────────────────────────────────────────────────────────────────


class Heard(Sender):
    """Keeps what it is told."""

    def __init__(self) -> None:
        super().__init__(-1)
        self.texts: list[str] = []
        self.records: list[tuple[int, int, str]] = []

    def send_text(self, stream: int, text: str) -> None:
        self.texts.append(text)

    def send_record(self, kind: int, level: int, flags: int, text: str) -> None:
        self.records.append((level, flags, "|".join(text.split("\x1f"))))


class Stream:
    """Somebody's stream."""

    def __init__(self) -> None:
        self.got: list[str] = []

    def write(self, text: str) -> int:
        self.got.append(text)
        return len(text)


def test_a_stream_that_is_listened_to_writes_as_before_and_is_given_back():
    stream, heard = Stream(), Heard()
    tap = WriteTap(STDOUT, stream, heard)
    assert stream.write("one") == 3
    tap.give_back()
    assert stream.write("two") == 3
    assert (stream.got, heard.texts) == (["one", "two"], ["one"])
    assert "write" not in vars(stream)


def test_a_stream_that_was_wrapped_after_us_keeps_working():
    stream, heard = Stream(), Heard()
    tap = WriteTap(STDOUT, stream, heard)
    ours = stream.write
    stream.write = lambda text: ours(text.upper())  # type: ignore[method-assign]
    tap.give_back()
    stream.write("later")
    assert (stream.got, heard.texts) == (["LATER"], [])


@pytest.fixture
def heard():
    told = Heard()
    tap = LogTap("INFO", told)
    yield told
    tap.give_back()


def test_logging_is_heard_from_its_level_on_but_for_our_own(heard):
    logger = logging.getLogger("console.test")
    logger.setLevel(logging.DEBUG)
    logger.debug("low")
    logger.info("epoch %d", 3)
    logging.getLogger("weir").warning("ours")
    logging.getLogger("weir.agent").warning("ours")
    try:
        raise ValueError("bad\nmore")
    except ValueError:
        logger.exception("failed")
    assert [(level, text) for level, _, text in heard.records] == [
        (20, "console.test|epoch 3|"),
        (40, "console.test|failed| [ValueError: bad]"),
    ]


def test_a_message_that_cannot_be_made_or_logs_in_its_turn_is_harmless(heard):
    class Chatty:
        def __str__(self) -> str:
            logging.getLogger("console.test").warning("inner")
            return "chatty"

    class Broken:
        def __str__(self) -> str:
            raise RuntimeError

    logging.raiseExceptions, kept = False, logging.raiseExceptions
    try:
        logging.getLogger("console.test").warning("%s", Broken())
        logging.getLogger("console.test").warning("%s", Chatty())
    finally:
        logging.raiseExceptions = kept
    assert "console.test|chatty|" in [text for *_, text in heard.records]


def test_the_root_logger_gets_no_handler(heard):
    before = list(logging.getLogger().handlers)
    logging.getLogger("console.test").warning("x")
    assert logging.getLogger().handlers == before


def test_listening_twice_and_letting_go_in_any_order_leaves_logging_as_it_was():
    original = logging.Logger.callHandlers
    first, second = LogTap("INFO", Heard()), LogTap("INFO", Heard())
    second.give_back()
    first.give_back()
    assert logging.Logger.callHandlers is original
