from uuid import UUID

import pytest
from click.testing import CliRunner

from tests.unit.server import frames
from weir_server.deadletter.commands import deadletter
from weir_server.deadletter.retry import StillDead, retry
from weir_server.writer import persist
from weir_store.records import DeadLetter


def test_a_letter_of_which_no_rows_can_be_made_stays_dead_and_the_others_go_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def no_rows(_items: object) -> None:
        raise OverflowError("too large")

    monkeypatch.setattr(persist, "build_block", no_rows)
    source = frames.entry(frames.grid(1, metrics=["loss"]), 1)
    letter = DeadLetter(
        "p", "r", UUID(bytes=source.producer), 1, "why", 0, len(source.payload), "kept", ""
    )
    with pytest.raises(StillDead, match="too large"):
        retry(letter, source.payload, letters=None, inserter=None, by="me", at_unix_us=0)  # type: ignore[arg-type]


@pytest.mark.parametrize("words", [[], ["--all", f"{'0' * 32}:1"], [f"{'0' * 32}:1", "--run", "r"]])
def test_a_retry_is_of_the_letters_named_or_of_all(words: list[str]) -> None:
    done = CliRunner().invoke(deadletter, ["retry", *words])
    assert done.exit_code == 1
    assert "--all" in done.stderr
