"""Media on a page: steps, values, boxes and masks over pictures, whatever a training job wrote there."""

from __future__ import annotations

import io
import json
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from streamlit.testing.v1 import AppTest

from tests.unit.dashboard.synthetic import SyntheticReader, many_runs
from weir_dashboard import data, media_charts, media_picture
from weir_dashboard.media_points import blob_in, boxes_in, shown_at, steps_of
from weir_dashboard.sources import Sources
from weir_dashboard.views.media_view import sandboxed
from weir_store.records import Metric, MetricPage

ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


def points(*rows: tuple[int, int, str]) -> pa.Table:
    ranks, steps, values = zip(*rows, strict=True) if rows else ((), (), ())
    return pa.table(
        {
            "rank": pa.array(ranks, pa.uint32()),
            "step": pa.array(steps, pa.int64()),
            "time_unix_us": pa.array([0] * len(rows), pa.int64()),
            "value": pa.array(values, pa.string()),
        }
    )


def png(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(array).save(file, "PNG")
    return file.getvalue()


def pixels(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(content)))


def test_values_come_by_rank_and_place_and_only_of_their_step() -> None:
    table = points(
        (1, 5, '[{"type":"image","caption":"c"},{"type":"image"}]'),
        (0, 5, '{"type":"text","text":"a"}'),
        (0, 2, '{"type":"text"}'),
    )
    assert steps_of(table) == [2, 5]
    shown = shown_at(table, 5)
    assert [(one.rank, one.index, one.type) for one in shown] == [
        (0, 0, "text"),
        (1, 0, "image"),
        (1, 1, "image"),
    ]
    assert shown[1].title == "c"


@pytest.mark.parametrize("text", ["", "{", "[1, null]", "3", '"x"', '{"type": 3}', "[" * 5_000])
def test_what_is_no_media_comes_out_as_unknown_and_never_raises(text: str) -> None:
    assert all(one.type == "unknown" for one in shown_at(points((0, 1, text)), 1))


def test_a_blob_is_named_by_64_hex_digits_and_a_size() -> None:
    assert blob_in({"sha256": "a" * 64, "size": 3}) == ("a" * 64, 3)
    for bad in (None, 3, {}, {"sha256": "A" * 64, "size": 3}, {"sha256": "../" * 21 + "a"}):
        assert blob_in(bad) is None


def test_boxes_are_drawn_where_they_are_and_a_score_hides_them() -> None:
    content = png(np.zeros((100, 200, 3), np.uint8))
    box = {"box": [0.25, 0.2, 0.75, 0.8], "class_id": 1, "score": 0.5}
    facts = {"boxes": {"p": {"boxes": [box], "classes": {"1": "cat"}}}}
    found = pixels(media_picture.drawn(content, facts, {}))
    assert tuple(found[50, 50]) == media_picture.color_of(1)
    assert tuple(found[50, 100]) == (0, 0, 0)
    hidden = pixels(media_picture.drawn(content, facts, {}, least_score=0.6))
    assert not hidden.any()
    assert not pixels(media_picture.drawn(content, facts, {}, boxes=False)).any()


def test_a_mask_tints_its_classes_and_leaves_class_0_clear() -> None:
    content = png(np.full((40, 40, 3), 100, np.uint8))
    numbers = np.zeros((20, 20), np.uint8)  # of another size than the picture
    numbers[:10] = 1
    found = pixels(media_picture.drawn(content, {}, {"m": png(numbers)}))
    assert (found[30] == 100).all()
    assert (found[5] != 100).any(axis=1).all()


@given(ANY_JSON, ANY_JSON)
def test_whatever_stands_in_place_of_boxes_a_picture_is_drawn(boxes: Any, inner: Any) -> None:
    content = png(np.zeros((8, 8, 3), np.uint8))
    odd = {"g": {"boxes": [{"box": inner, "score": inner, "class_id": inner, "caption": inner}]}}
    for facts in ({"boxes": boxes}, {"boxes": {"g": boxes}}, {"boxes": odd, "classes": boxes}):
        assert pixels(media_picture.drawn(content, facts, {})).shape == (8, 8, 3)
        assert isinstance(boxes_in(facts), list)


def test_what_is_no_picture_is_said_and_not_drawn() -> None:
    with pytest.raises(ValueError, match="no picture"):
        media_picture.drawn(b"GIF89a", {}, {})


def test_a_chart_that_would_fetch_from_elsewhere_is_found_out() -> None:
    assert media_charts.keeps_to_itself({"data": {"values": [{"a": 1}]}, "mark": "bar"})
    for bad in (
        {"data": {"url": "http://elsewhere/"}},
        {"layer": [{"data": {"url": "x"}}]},
        {"mark": {"type": "image"}, "encoding": {"url": {"field": "a"}}},
        {"encoding": {"href": {"field": "a"}}},
    ):
        assert not media_charts.keeps_to_itself(bad)


def test_a_histogram_is_drawn_between_its_edges() -> None:
    spec = media_charts.histogram({"counts": [1, 2], "edges": [0.0, 1.0, 4.0]})
    assert spec["data"]["values"][1] == {"from": 1.0, "to": 4.0, "count": 2}
    assert media_charts.histogram({})["data"]["values"] == []


@pytest.mark.parametrize("columns", [3, 4, 6])
def test_a_cloud_is_seen_from_two_sides_with_at_most_4000_points(columns: int) -> None:
    file = io.BytesIO()
    cloud = np.random.default_rng(0).normal(size=(9_000, columns)).astype("<f4")
    cloud[0, 0] = np.nan
    np.save(file, cloud)
    spec = media_charts.cloud(file.getvalue())
    assert 2_000 < len(spec["data"]["values"]) <= 4_000
    assert len(spec["hconcat"]) == 2
    json.dumps(spec, allow_nan=False)


def test_a_logged_page_cannot_break_out_of_its_frame() -> None:
    page = sandboxed('"></iframe><script>parent.alert(1)</script>')
    assert page.count("<iframe") == 1
    assert "<script>" not in page
    assert 'sandbox="allow-scripts"' in page
    assert "allow-same-origin" not in page


class MediaReader(SyntheticReader):
    """A run whose media are these."""

    def __init__(self, media: dict[str, pa.Table]) -> None:
        super().__init__(many_runs("gpt-small", 1))
        self.media = media

    def list_metrics(self, runs: Any, **_: Any) -> MetricPage:
        found = tuple(Metric(name, 1, 0, 9, False, True, True) for name in self.media)
        return MetricPage(found, len(found))

    def read_media(self, ref: Any, metric: str, *, limit: int = 10_000) -> pa.Table:
        return self.media[metric]


def media_script() -> None:
    from weir_dashboard import data
    from weir_dashboard.views import media, states
    from weir_store.records import RunRef

    with states.failures():
        media.show(data.ask().run(RunRef("gpt-small", "r0000")).value)


def shown(media: dict[str, pa.Table]) -> AppTest:
    data.use(Sources(MediaReader(media)), "gateway:7700")
    return AppTest.from_function(media_script, default_timeout=30).run()


def test_a_run_without_media_shows_how_to_log_some() -> None:
    test = shown({})
    assert not test.exception
    assert "weir.Image" in test.code[0].value


def test_the_slider_has_the_steps_that_exist_and_begins_at_the_newest() -> None:
    rows = [(0, step, f'{{"type":"text","text":"at {step}"}}') for step in (0, 10, 25)]
    test = shown({"notes": points(*rows)})
    (slider,) = test.select_slider
    assert (slider.options, slider.value) == (["0", "10", "25"], 25)
    assert test.code[0].value == "at 25"
    slider.set_value(10).run()
    assert test.code[0].value == "at 10"
    assert not test.exception


def test_many_names_come_in_pages_and_can_be_searched() -> None:
    media = {f"name{at:02}": points((0, 1, '{"type":"text","text":"x"}')) for at in range(20)}
    test = shown(media)
    assert len(test.code) == 6
    test.text_input(key="media_q").set_value("name13").run()
    assert len(test.code) == 1
    assert not test.exception


@pytest.mark.parametrize(
    "value",
    [
        '{"type":"image","sha256":"' + "a" * 64 + '","size":5,"mime":"image/png"}',
        '{"type":"image"}',
        '{"type":"image","boxes":3,"masks":[],"classes":"x","clipped":3,"thumb":"y"}',
        '{"type":"table","columns":3}',
        '{"type":"histogram","counts":"x","edges":3}',
        '{"type":"markdown"}',
        '{"type":"from the future","sha256":"' + "a" * 64 + '","size":5}',
        "[]",
        "nonsense",
    ],
)
def test_damaged_or_missing_media_never_break_the_page(value: str) -> None:
    test = shown(
        {"bad": points((0, 1, value)), "good": points((0, 1, '{"type":"text","text":"x"}'))}
    )
    assert not test.exception
    assert test.code[-1].value == "x"
