"""What an older Weir wrote is read for ever: bytes kept in tests/data/v1, never regenerated."""

import math
from pathlib import Path

import pytest

from weir._reading import Point, read_points
from weir._spool import Control, Frame, SpoolDir, SpoolReader, Watermark, list_spools
from weir_proto.v1 import ingest_pb2 as pb

DATA = Path(__file__).parents[2] / "data"
T = 1_700_000_000_000_000


@pytest.fixture
def spool() -> SpoolDir:
    (spool,) = list_spools(DATA / "v1" / "spool")
    return spool


def read(spool: SpoolDir) -> list[Frame]:
    found = list(SpoolReader(spool).read(writer_alive=False))
    frames = [frame for frame in found if isinstance(frame, Frame)]
    assert frames == found, "a gap"
    return frames


def test_the_notes_of_version_1_are_read(spool: SpoolDir) -> None:
    meta, welcome = spool.read_meta(), spool.read_welcome()
    assert (meta.project, meta.run_id, meta.rank, meta.attempt) == ("vision", "k3j9x0p2aa", 1, 1)
    assert meta.producer == spool.producer.hex()
    assert welcome is not None
    assert (welcome.run_existed, welcome.last_step, welcome.refused_code) == (True, 7, "")
    assert spool.read_watermark() == Watermark(accepted_seq=3, committed_seq=2)
    assert spool.read_control() == Control(stop=True, reason="enough", by="ann")


def test_the_points_of_version_1_are_read(spool: SpoolDir) -> None:
    points = [
        point
        for frame in read(spool)
        for point in read_points(pb.Body.FromString(frame.body), run_id="r", rank=1)
    ]
    losses = [point for point in points if point.metric == "loss"]
    assert losses == [
        *(Point("r", 1, "loss", i, T + i, 1 / (i + 1)) for i in range(4)),
        Point("r", 1, "loss", 3, T + 9, 0.5),
    ]
    accuracies = [float(point.value) for point in points if point.metric == "val/acc"]
    assert math.isnan(accuracies[2])
    assert accuracies[3] == 0.75
    assert [point.value for point in points if point.metric == "sample"] == ["ein Satz – ü"]


def test_the_rest_of_version_1_is_read(spool: SpoolDir) -> None:
    frames = read(spool)
    bodies = [pb.Body.FromString(frame.body) for frame in frames]
    assert [(frame.seq, frame.final) for frame in frames] == [
        (1, False),
        (2, False),
        (3, False),
        (4, True),
    ]
    assert [attr.path for attr in bodies[0].attrs] == ["optimizer.lr", "baseline", "name"]
    assert [block.rewrites for body in bodies for block in body.points] == [False, True]
    assert (bodies[2].events[0].kind, bodies[2].losses[0].reason) == ("rejected", "bad_value")
    assert bodies[3].session.state == pb.SessionUpdate.FINISHED
