"""What the api gives is everything, or it says that it is not."""

from __future__ import annotations

import math
import uuid
from collections.abc import Iterator

import pyarrow as pa
import pytest

import weir
from tests.contract.small_stores import StoreBuilder
from tests.integration.fixtures_asking import ADAM, STEPS, Asked, asked
from tests.integration.fixtures_gateway import RunningGateway
from weir import _api_tables
from weir.errors import UsageError
from weir_server.stream.memory import MemoryStream
from weir_store import tables
from weir_store.memory import MemoryStore
from weir_store.records import RunRef

RUN = RunRef("p", "r")
TEXTS, EVENTS = 25, 12_000
__all__ = ["asked"]


@pytest.fixture
def api(asked: Asked) -> Iterator[weir.Api]:
    with weir.Api(asked.address, asked.tokens["reader"]) as one:
        yield one


@pytest.fixture(scope="module")
def long(request: pytest.FixtureRequest) -> Iterator[weir.Api]:
    """An api to a store with more texts and events than one answer holds."""
    builder = StoreBuilder()
    builder.add_run(RUN, created_s=1_700_000_000)
    for rank in range(2):
        for step in range(TEXTS):
            builder.add_point(RUN, "sample", step, f"text {rank} {step}", rank=rank)
    for number in range(EVENTS):
        builder.add(
            tables.EVENTS, project="p", run_id="r", event_id=uuid.UUID(int=number).bytes,
            ts=(1_700_000_000 + number) * 1_000_000, kind="alert", severity="warn",
            title=f"event {number}", body="", step=-1, rank=0, attrs={}, ver=number,
            source="client",
        )  # fmt: skip
    store = MemoryStore()
    store.insert(builder.take_block(), "")
    gateway = RunningGateway(MemoryStream(shards=1, max_bytes=1 << 20).appender, store=store)
    with weir.Api(gateway.address) as one:
        yield one
    gateway.stop()


def test_every_point_comes_by_default_and_nan_and_infinities_are_among_them(api: weir.Api) -> None:
    frame = api.read_series("vision/adam1", ["train/loss", "val/acc"])
    assert len(frame) == 2 * STEPS + 2
    assert math.isnan(frame[frame["metric"] == "val/acc"]["value"].iloc[-1])
    assert "weir" not in frame.attrs


def test_a_table_that_is_thinned_says_so(api: weir.Api) -> None:
    frame = api.read_series("vision/adam1", "train/loss", max_points=100)
    assert frame.attrs["weir"] == {"thinned_to": 100}
    table = api.read_series("vision/adam1", "train/loss", max_points=100, as_="arrow")
    assert table.schema.metadata[b"weir"] == b'{"thinned_to": 100}'


def test_names_are_texts_however_they_travelled(api: weir.Api) -> None:
    table = api.read_series("vision/adam1", "train/loss", as_="arrow")
    assert {table.schema.field(name).type for name in ("project", "run_id", "metric")} == {
        pa.string()
    }
    assert table["metric"].unique().to_pylist() == ["train/loss"]


def test_points_stream_table_by_table_and_are_the_same_points(api: weir.Api) -> None:
    several = list(api.stream_series("vision/adam1", "train/loss", as_="arrow"))
    assert len(several) > 1
    assert max(each.num_rows for each in several) < 2 * STEPS
    whole = api.read_series("vision/adam1", "train/loss", as_="arrow")
    assert pa.concat_tables(several).combine_chunks().equals(whole.combine_chunks())


def test_whoever_stops_streaming_ends_it(api: weir.Api) -> None:
    first = next(api.stream_series([ADAM.project + "/" + ADAM.run_id], "train/loss"))
    assert list(first["step"])[:2] == [0, 1]


def test_all_texts_come_though_a_page_holds_few(
    long: weir.Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_api_tables, "_PAGE_TEXTS", 7)
    frame = long.run("p/r").text("sample")
    assert list(frame["value"]) == [
        f"text {rank} {step}" for rank in range(2) for step in range(TEXTS)
    ]
    assert "weir" not in frame.attrs


@pytest.mark.parametrize("limit", [1, 7, 8, 49])
def test_texts_that_are_cut_say_so(
    long: weir.Api, monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    monkeypatch.setattr(_api_tables, "_PAGE_TEXTS", 7)
    frame = long.run("p/r").text("sample", limit=limit)
    assert len(frame) == limit
    assert frame.attrs["weir"] == {"cut": True}


def test_a_limit_that_is_just_enough_cuts_nothing(long: weir.Api) -> None:
    assert "weir" not in long.run("p/r").text("sample", limit=2 * TEXTS).attrs
    with pytest.raises(UsageError):
        long.run("p/r").text("sample", limit=0)


def test_events_say_how_many_there_are(long: weir.Api) -> None:
    run = long.run("p/r")
    events = run.events()
    assert (len(events), events.total, events.cut) == (10_000, EVENTS, True)
    assert events[0].title == f"event {EVENTS - 1}"
    assert run.events(kinds="nothing").cut is False


def test_names_of_metrics_come_page_after_page(
    long: weir.Api, api: weir.Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    from weir import _api

    monkeypatch.setattr(_api, "_METRICS_PAGE", 1)
    names = [metric.name for metric in api.run("vision/adam1").metrics()]
    assert names == ["sample", "train/loss", "val/acc"]
