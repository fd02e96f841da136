"""A part that is alive and does nothing is worse than a dead one: `weir up` ends it and goes on."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.fixtures_up import EmbeddedWeir, alive, running_weir, wait_until
from tests.e2e.recorded import read_recorded, read_stored
from tests.fault.test_kill_each_part_during_a_job import RANKS, points_stored, start_job
from weir_store.records import RunRef

PARTS = ("gateway", "writer", "rules")


@pytest.fixture(scope="module")
def impatient_weir(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedWeir]:
    flags = ("--no-dashboard", "--up.patience-s", "2")
    with running_weir(tmp_path_factory.mktemp("weir") / "data", *flags) as running:
        yield running


def test_frozen_parts_are_killed_and_started_again_and_no_point_is_lost(
    impatient_weir: EmbeddedWeir, tmp_path: Path
) -> None:
    weir = impatient_weir
    job = start_job(weir, "frozen", tmp_path)
    wait_until(lambda: points_stored(weir, "frozen") > 0, "points arrive")
    for name in PARTS:
        before = weir.parts()[name]
        os.kill(before.pid, signal.SIGSTOP)
        wait_until(
            lambda name=name, before=before: weir.parts()[name].pid != before.pid,
            f"{name} is replaced",
            within_s=60,
        )
        assert not alive(before)
        wait_until(lambda name=name: f"{name} is back" in weir.said, f"{name} is back")
        assert f"{name} has answered nothing for" in weir.said
    assert job.wait(150) == 0, (tmp_path / "job.log").read_text()
    with weir.reader() as reader:
        assert read_stored(reader, RunRef("digits", "frozen")) == read_recorded(tmp_path, RANKS)


def test_parts_that_answer_are_left_alone(impatient_weir: EmbeddedWeir) -> None:
    said = impatient_weir.said
    assert "engine has answered nothing" not in said
    assert impatient_weir.parts()["engine"].restarts == 0
