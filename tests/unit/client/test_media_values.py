"""What `log()` makes of media: what is kept, in which form, and what is refused with which words."""

import io
import json
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import plotly.graph_objects as go
import polars as pl
import pyarrow as pa
import pytest
from PIL import Image as Pillow

import weir
from weir._media.view import MediaView
from weir.testing import Captured, capture

mpl.use("Agg")
from matplotlib import pyplot as plt

GENERATOR = np.random.default_rng(7)
PICTURE = GENERATOR.integers(0, 255, (40, 60, 3), dtype=np.uint8)


def logged(value: Any, **settings: Any) -> list[MediaView]:
    with capture(**settings) as captured, weir.init() as run:
        run.log({"m": value})
    assert run.stats.rejected == run.stats.dropped == 0
    return captured.media("m")


def one(value: Any, **settings: Any) -> MediaView:
    views = logged(value, **settings)
    assert len(views) == 1
    return views[0]


@contextmanager
def refused(caplog: pytest.LogCaptureFixture, words: str) -> Iterator[weir.Run]:
    """Training goes on, nothing is kept, and one warning has the words."""
    with capture() as captured, weir.init() as run:
        yield run
        run.log({"after": 1.0})
    assert run.stats.rejected == 1
    assert captured.media("m") == []
    assert captured.values("after") == [1.0]
    assert words in caplog.text
    assert [event["kind"] for event in captured.events()] == ["rejected"]


# ── pictures ──────────────────────────────────────────────────────────────────


def test_an_array_comes_back_pixel_for_pixel() -> None:
    view = one(weir.Image(PICTURE, caption="a cat"))
    assert np.array_equal(view.value(), PICTURE)
    assert (view.type, view.caption, view.mime) == ("image", "a cat", "image/png")
    assert (view.facts["width"], view.facts["height"]) == (60, 40)


@pytest.mark.parametrize(
    "given",
    [
        PICTURE.transpose(2, 0, 1),
        PICTURE.astype(np.float32) / 255,
        PICTURE.astype(np.float64) / 255,
        PICTURE.astype(np.int64),
        PICTURE.tolist(),
        Pillow.fromarray(PICTURE),
    ],
    ids=["channels first", "float32", "float64", "int64", "lists", "Pillow"],
)
def test_every_form_of_the_same_picture_is_the_same_bytes(given: Any) -> None:
    assert one(weir.Image(given)).facts["sha256"] == one(weir.Image(PICTURE)).facts["sha256"]


def test_a_tensor_is_read_with_its_channels_first() -> None:
    class Tensor:  # what PyTorch's looks like from outside
        def __init__(self, array: np.ndarray) -> None:
            self.array, self.shape, self.dtype = array, array.shape, array.dtype

        def detach(self) -> "Tensor":
            return self

        def cpu(self) -> "Tensor":
            return self

        def __array__(self, *_: Any, **__: Any) -> np.ndarray:
            return self.array

    ambiguous = GENERATOR.integers(0, 255, (3, 20, 3), dtype=np.uint8)
    assert one(weir.Image(Tensor(ambiguous))).value().shape == (20, 3, 3)
    assert one(weir.Image(ambiguous)).value().shape == (3, 20, 3)


@pytest.mark.parametrize("channels", [1, 2, 4])
def test_grey_and_transparent_pictures_keep_their_channels(channels: int) -> None:
    array = GENERATOR.integers(0, 255, (20, 30, channels), dtype=np.uint8)
    assert np.array_equal(one(weir.Image(array)).value().reshape(array.shape), array)


def test_values_that_no_picture_shows_are_clipped_and_it_says_so() -> None:
    view = one(weir.Image(np.array([[-3.0, 0.5], [np.nan, 250.0]])))
    assert view.value().tolist() == [[0, 128], [0, 255]]
    assert view.facts["clipped"] == [-3.0, 250.0]
    assert "clipped" not in one(weir.Image(PICTURE / 255)).facts


def test_a_picture_is_what_it_was_when_it_was_logged() -> None:
    picture = PICTURE.copy()
    with capture() as captured, weir.init() as run:
        run.log({"m": weir.Image(picture)})
        picture[:] = 0
    assert np.array_equal(captured.media("m")[0].value(), PICTURE)


def test_a_large_picture_has_a_small_one_beside_it() -> None:
    large = one(weir.Image(np.zeros((600, 900, 3), np.uint8)))
    with Pillow.open(io.BytesIO(large.read_thumb())) as thumb:
        assert thumb.size == (256, 171)
    small = one(weir.Image(PICTURE))
    assert "thumb" not in small.facts
    assert small.read_thumb() == small.read()


def test_jpeg_is_had_for_the_asking() -> None:
    view = one(weir.Image(PICTURE, format="jpg"))
    assert view.mime == "image/jpeg"
    assert view.read()[:2] == b"\xff\xd8"


def test_without_pillow_pictures_are_png_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    import weir._media.pixels as pixels

    monkeypatch.setattr(
        pixels, "maybe", lambda name: None if name == "PIL.Image" else pytest.fail(name)
    )
    for shape in ((40, 60), (40, 60, 1), (40, 60, 2), (40, 60, 3), (40, 60, 4)):
        array = GENERATOR.integers(0, 255, shape, dtype=np.uint8)
        assert np.array_equal(one(weir.Image(array)).value().reshape(shape), array)


def test_a_file_is_kept_byte_for_byte_even_when_it_is_removed_at_once(tmp_path: Path) -> None:
    path = tmp_path / "picture.jpg"
    Pillow.fromarray(PICTURE).save(path)
    content = path.read_bytes()
    with capture() as captured, weir.init() as run:
        run.log({"m": weir.Image(path)})
        path.unlink()
    view = captured.media("m")[0]
    assert view.read() == content
    assert (view.facts["width"], view.facts["height"], view.mime) == (60, 40, "image/jpeg")


def test_several_pictures_at_one_key_keep_their_order_and_captions() -> None:
    pictures = [weir.Image(PICTURE + at, caption=f"n{at}") for at in range(5)]
    views = logged(pictures)
    assert [(view.index, view.caption) for view in views] == [(at, f"n{at}") for at in range(5)]
    assert all(np.array_equal(view.value(), PICTURE + at) for at, view in enumerate(views))


@pytest.mark.parametrize(
    ("position", "domain"),
    [
        ([0.25, 0.1, 0.75, 0.5], None),
        ({"minX": 0.25, "minY": 0.1, "maxX": 0.75, "maxY": 0.5}, None),
        ({"middle": [0.5, 0.3], "width": 0.5, "height": 0.4}, None),
        ([15, 4, 45, 20], "pixel"),
    ],
)
def test_boxes_of_every_form_are_fractions_of_the_picture(position: Any, domain: Any) -> None:
    box = {"position": position, "class_id": 2, "score": 0.5, "caption": "cat", "domain": domain}
    boxes = one(weir.Image(PICTURE, boxes=[box])).boxes
    assert boxes == {
        "boxes": {
            "boxes": [
                {"box": [0.25, 0.1, 0.75, 0.5], "class_id": 2, "score": 0.5, "caption": "cat"}
            ]
        }
    }


def test_boxes_and_masks_as_wandb_takes_them() -> None:
    mask = np.arange(40 * 60).reshape(40, 60) % 3
    view = one(
        weir.Image(
            PICTURE,
            boxes={
                "predictions": {
                    "box_data": [
                        {
                            "position": {"minX": 0, "minY": 0, "maxX": 0.5, "maxY": 1},
                            "class_id": 1,
                            "box_caption": "cat 90 %",
                            "scores": {"acc": 0.9},
                        }
                    ],
                    "class_labels": {1: "cat"},
                }
            },
            masks={"truth": {"mask_data": mask, "class_labels": {0: "none", 1: "cat"}}},
            classes=[{"id": 1, "name": "cat"}],
        )
    )
    assert view.boxes["predictions"]["classes"] == {"1": "cat"}
    assert view.boxes["predictions"]["boxes"][0]["score"] == 0.9
    assert np.array_equal(view.masks()["truth"], mask)
    assert view.facts["mask_classes"] == {"truth": {"0": "none", "1": "cat"}}
    assert view.facts["classes"] == {"1": "cat"}


def test_more_boxes_than_a_point_holds_go_to_a_blob_beside_it() -> None:
    box = {"position": [0.1, 0.2, 0.3, 0.4], "class_id": 7, "caption": "a long caption" * 3}
    view = one(weir.Image(PICTURE, boxes=[box] * 2_000))
    assert "boxes" not in view.facts
    assert len(view.boxes["boxes"]["boxes"]) == 2_000


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (lambda: weir.Image(np.zeros((2, 4, 4, 3))), "is a batch: log [weir.Image(one)"),
        (lambda: weir.Image(np.zeros((9, 9, 9))), "1 to 4 channels"),
        (lambda: weir.Image(np.zeros((0, 4, 3))), "is no image"),
        (lambda: weir.Image(np.array(["a"])), "needs numbers"),
        (lambda: weir.Image([[1, 2], [3]]), "is no array"),
        (lambda: weir.Image("/no/such/picture.png"), "cannot be read"),
        (lambda: weir.Image("/etc/hostname"), "is not image by its name"),
        (lambda: weir.Image(PICTURE, format="tga"), "no image format"),
        (lambda: weir.Image(PICTURE, boxes=[{"class_id": 1}]), "a box needs a position"),
        (lambda: weir.Image(PICTURE, boxes=[{"position": [1, 2, 3]}]), "no position of a box"),
        (lambda: weir.Image(PICTURE, masks={"m": {}}), "neither mask_data nor path"),
        (lambda: weir.Image(PICTURE, masks={"m": np.full((4, 4), 256)}), "0 … 255"),
        (lambda: weir.Image(PICTURE, masks={"m": np.full((4, 4), 0.5)}), "not fractions"),
        (lambda: weir.Audio(np.zeros(10)), "need their rate"),
        (lambda: weir.Audio(np.zeros((2, 2, 2)), 8_000), "frames × channels"),
        (lambda: weir.Video(np.zeros((4, 8, 8))), "are no video"),
        (lambda: weir.Video(np.zeros((4, 8, 8, 3)), format="mp4"), "imageio"),
        (lambda: weir.Video(np.zeros((4, 8, 8, 3)), fps=0), "fps"),
        (lambda: weir.Histogram(), "needs values"),
        (lambda: weir.Histogram([1.0], num_bins=513), "1 to 512"),
        (lambda: weir.Histogram(np_histogram=([1, 2], [0, 1])), "edges"),
        (lambda: weir.Histogram(np_histogram=([1], [2, 1])), "rise"),
        (lambda: weir.PointCloud(np.zeros((4, 5))), "N × 3, N × 4 or N × 6"),
        (lambda: weir.Table(["a", "b"], [[1]]), "row 0 has 1 cells for 2 columns"),
        (lambda: weir.Table(["a", "a"], [[1, 2]]), "two columns are called 'a'"),
        (lambda: weir.Table(), "needs columns"),
        (lambda: weir.Figure(3), "is one of matplotlib"),
        (lambda: weir.Html(Path("/no/such.html")), "cannot be read"),
        (lambda: weir.Text("\ud800"), "UTF-8"),
        (lambda: [weir.Image(PICTURE), 3], "a list of media holds a int too"),
        (lambda: [weir.Image(PICTURE, caption="x" * 9_000)] * 10, "log fewer at one key"),
        (lambda: weir.plot.line({"x": [1]}, "x", "y"), "no column 'y'"),
        (lambda: weir.plot.roc_curve([0, 1, 2], [0.1, 0.2, 0.3]), "samples × classes"),
        (lambda: weir.plot.confusion_matrix([0, 1], [0]), "2 true labels and 1"),
    ],
)
def test_what_cannot_be_kept_is_refused_with_the_reason(
    value: Any, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    with refused(caplog, words) as run:
        run.log({"m": value()})


def test_with_strict_every_fault_is_raised_where_log_is_called() -> None:
    with capture(strict=True), weir.init() as run:
        with pytest.raises(weir.errors.InvalidPoint, match="is a batch"):
            run.log({"m": weir.Image(np.zeros((2, 4, 4, 3)))})
        with pytest.raises(weir.errors.InvalidPoint, match="0 … 255"):  # known only once encoded
            run.log({"m": weir.Image(PICTURE, masks={"m": np.full((4, 4), 256)})})
        run.log({"m": weir.Image(PICTURE)})
    assert run.stats.spooled == 1


def test_a_value_over_the_cap_names_the_setting_that_raises_it(
    caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    large = tmp_path / "large.mp4"
    large.write_bytes(bytes(2 << 20))
    with capture(media_max_mb=1.0) as captured, weir.init() as run:
        run.log({"image": weir.Image(np.zeros((1000, 1100, 1), np.uint8))})
        run.log({"video": weir.Video(large)})
        run.log({"text": weir.Html("x" * (2 << 20))})
    assert run.stats.rejected == 3
    assert caplog.text.count("over media_max_mb = 1") == 3
    assert captured.points == []


# ── sound, video, histogram, points ───────────────────────────────────────────


@pytest.mark.parametrize("shape", [(800,), (800, 2), (2, 800)])
def test_samples_become_a_wav_of_the_same_length(shape: tuple[int, ...]) -> None:
    samples = GENERATOR.uniform(-1, 1, shape)
    view = one(weir.Audio(samples, sample_rate=16_000, caption="hum"))
    with wave.open(io.BytesIO(view.read())) as sound:
        assert sound.getnframes() == 800
        assert sound.getframerate() == 16_000
    found, rate = view.value()
    frames_first = samples.T if shape == (2, 800) else samples
    assert np.abs(found / 32_767 - frames_first).max() < 1 / 32_767
    assert (rate, view.facts["duration_s"], view.caption) == (16_000, 0.05, "hum")


def test_loud_samples_are_clipped_and_int16_is_kept_as_it_is() -> None:
    assert one(weir.Audio(np.array([2.0, -2.0, np.nan]), 8_000)).value()[0].tolist() == [
        32_767,
        -32_767,
        0,
    ]
    whole = np.array([-32_768, 5, 32_767], np.int16)
    assert np.array_equal(one(weir.Audio(whole, 8_000)).value()[0], whole)


@pytest.mark.parametrize("axes", [(0, 1, 2, 3), (0, 3, 1, 2)])
def test_frames_become_a_gif_that_moves(axes: tuple[int, ...]) -> None:
    frames = np.zeros((6, 20, 30, 3), np.uint8)
    frames[np.arange(6), :, np.arange(6) * 5] = 255
    view = one(weir.Video(frames.transpose(axes), fps=4))
    with Pillow.open(io.BytesIO(view.read())) as moving:
        assert (moving.n_frames, moving.size, moving.info["duration"]) == (6, (30, 20), 250)


def test_a_video_file_is_kept_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    path.write_bytes(b"not really a film")
    view = one(weir.Video(str(path), caption="film"))
    assert (view.read(), view.mime) == (b"not really a film", "video/mp4")


def test_a_histogram_counts_every_value_and_those_that_are_no_numbers_apart() -> None:
    values = np.r_[GENERATOR.normal(size=5_000), np.nan, np.nan, np.inf, -np.inf]
    view = one(weir.Histogram(values, num_bins=100))
    counts, edges = view.value()
    finite = values[np.isfinite(values)]
    wanted, at = np.histogram(finite, bins=100)
    assert counts.tolist() == wanted.tolist()
    assert np.array_equal(edges, at)
    assert view.facts["count"] == 5_000
    assert [view.facts[name] for name in ("nan", "inf", "neg_inf")] == [2, 1, 1]
    assert view.facts["mean"] == pytest.approx(finite.mean())
    assert view.facts["std"] == pytest.approx(finite.std())


def test_what_numpy_counted_is_taken_as_it_is() -> None:
    counts, edges = np.histogram(GENERATOR.normal(size=100), bins=7)
    for value in (
        weir.Histogram(np_histogram=(counts, edges)),
        weir.Histogram(np.histogram(np.arange(9), bins=3)),
    ):
        found = one(value).value()
        assert len(found[1]) == len(found[0]) + 1
    assert found[0].tolist() == [3, 3, 3]


@pytest.mark.parametrize(
    "values",
    [
        [],
        [5.0],
        [5.0] * 10,
        [np.nan],
        [-1.7e308, 1.7e308],
        [1e300, np.nextafter(1e300, np.inf)],
        [5e-324],
        [True, False],
        range(10),
    ],
)
def test_a_histogram_of_strange_values_counts_them_too(values: Any) -> None:
    view = one(weir.Histogram(values))
    finite = sum(bool(np.isfinite(value)) for value in values)
    assert view.facts["count"] == sum(view.facts["counts"]) == finite


@pytest.mark.parametrize("columns", [3, 4, 6])
def test_points_in_space_come_back_as_float32(columns: int) -> None:
    points = GENERATOR.normal(size=(50, columns))
    view = one(weir.PointCloud(points))
    assert view.value().dtype == np.float32
    assert np.array_equal(view.value(), points.astype(np.float32))
    assert view.facts["points"] == 50


# ── tables ────────────────────────────────────────────────────────────────────

FRAME = pd.DataFrame(
    {
        "whole": [1, 2, 3],
        "real": [0.5, np.nan, np.inf],
        "word": ["ä", None, ""],
        "yes": [True, False, True],
        "at": pd.to_datetime(["2026-01-01", "2026-01-02", None], utc=True),
    }
)


def test_a_pandas_table_comes_back_with_its_types() -> None:
    for value in (weir.Table(FRAME), weir.Table(dataframe=FRAME, caption="x"), FRAME):
        view = one(value)
        pd.testing.assert_frame_equal(view.value(), FRAME, check_dtype=False)
        assert view.facts["rows"] == 3
        assert [c["type"] for c in view.facts["columns"]][:2] == ["int64", "double"]
        assert [c["name"] for c in view.facts["columns"]] == list(FRAME.columns)


def test_polars_and_arrow_tables_are_taken_too() -> None:
    columns = {"a": [1, 2], "b": ["x", None]}
    for frame in (pl.DataFrame(columns), pa.table(columns)):
        for value in (frame, weir.Table(frame)):
            found = one(value).value()
            assert found["a"].tolist() == [1, 2]
            assert found["b"].isna().tolist() == [False, True]


def test_rows_become_typed_columns() -> None:
    table = weir.Table(columns=["n", "word"], data=[[1, "one"]])
    table.add_data(2, None)
    view = one(table)
    assert [c["type"] for c in view.facts["columns"]] == ["int64", "string"]
    assert view.value()["n"].tolist() == [1, 2]


def test_a_column_of_mixed_kinds_becomes_text_and_says_so() -> None:
    for value in (
        weir.Table(columns=["a", "b"], data=[[1, 1], ["x", 2]]),
        weir.Table(pd.DataFrame({"a": [1, "x"], "b": [1, 2]})),
    ):
        view = one(value)
        assert view.value()["a"].tolist() == ["1", "x"]
        assert [c.get("mixed", False) for c in view.facts["columns"]] == [True, False]


def test_pictures_in_cells_come_back_as_pictures() -> None:
    rows = [[at, weir.Image(PICTURE + at)] for at in range(3)] + [[9, None]]
    frame = pd.DataFrame({"n": [0, 1, 2, 9], "picture": [row[1] for row in rows]})
    for value in (weir.Table(["n", "picture"], rows), weir.Table(frame)):
        view = one(value)
        cells = view.value()["picture"]
        assert all(np.array_equal(cells[at].value(), PICTURE + at) for at in range(3))
        assert cells[3] is None or pd.isna(cells[3])
        assert len(view.facts["cells"]) == 3


def test_a_table_is_what_it_was_when_it_was_logged() -> None:
    frame = pd.DataFrame({"a": [1, 2, 3]})
    table = weir.Table(["a"], [[1], [2], [3]])
    with capture() as captured, weir.init() as run:
        run.log({"m": weir.Table(frame), "n": table})
        frame.loc[:, "a"] = 0
        table.data.clear()
    assert captured.media("m")[0].value()["a"].tolist() == [1, 2, 3]
    assert captured.media("n")[0].value()["a"].tolist() == [1, 2, 3]


def test_too_many_pictures_or_rows_in_one_table_are_refused(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    import weir._media.table as table

    monkeypatch.setattr(table, "MAX_ROWS", 10)
    with capture() as captured, weir.init() as run:
        run.log({"long": weir.Table(["a"], [[1]] * 11)})
        monkeypatch.setattr(table, "MAX_ROWS", 1_000)
        run.log({"pictures": weir.Table(["a"], [[weir.Image(PICTURE)]] * 401)})
    assert "a table of 11 rows; at most 10" in caplog.text
    assert "more than 400 media in one table" in caplog.text
    assert captured.points == []


# ── charts and words ──────────────────────────────────────────────────────────


def test_a_matplotlib_figure_is_drawn_at_once_bare_or_wrapped() -> None:
    figure, axes = plt.subplots(figsize=(4, 3), dpi=100)
    axes.plot([1, 2, 3])
    with capture() as captured, weir.init() as run:
        for value in (figure, weir.Figure(figure), weir.Figure(axes), weir.Figure(plt)):
            run.log({"m": value})
        run.log({"picture": weir.Image(figure)})
        axes.clear()
    plt.close(figure)
    views = [*captured.media("m"), *captured.media("picture")]
    assert [view.type for view in views] == ["figure"] * 4 + ["image"]
    assert {view.value().shape for view in views} == {(300, 400, 4)}
    assert len({view.facts["sha256"] for view in views}) == 1
    assert views[0].value().min() < 200, "nothing was drawn"


def test_plotly_and_vega_lite_keep_their_own_json() -> None:
    bars = go.Figure(go.Bar(y=[1, 2]))
    for value in (bars, weir.Figure(bars)):
        view = one(value)
        assert view.mime == "application/vnd.plotly.v1+json"
        assert view.value()["data"][0]["type"] == "bar"
    spec = {"mark": "bar", "data": {"values": [{"a": 1}]}}
    assert one(weir.Figure(spec)).value() == spec


def test_short_words_live_in_the_point_and_long_ones_beside_it(tmp_path: Path) -> None:
    long = "ä long story " * 1_000
    for kind, mime in ((weir.Text, "text/plain"), (weir.Markdown, "text/markdown")):
        short = one(kind("**hello**"))
        assert (short.value(), short.facts["text"]) == ("**hello**", "**hello**")
        view = one(kind(long))
        assert (view.value(), view.mime) == (long, mime)
        assert view.facts["preview"] == long[:500]
    page = tmp_path / "page.html"
    page.write_text("<b>ä</b>")
    assert [one(weir.Html(each)).value() for each in (page, str(page), "<b>ä</b>")] == [
        "<b>ä</b>"
    ] * 3


# ── reading back ──────────────────────────────────────────────────────────────


def test_downloading_into_a_folder_names_the_file_by_what_it_is(tmp_path: Path) -> None:
    with capture() as captured, weir.init() as run:
        run.log({"val/samples": [weir.Image(PICTURE)]}, step=12)
    path = captured.media("val/samples")[0].download(tmp_path)
    assert path.name == "val_samples-12-0-0.png"
    assert np.array_equal(np.array(Pillow.open(path)), PICTURE)


def test_a_number_and_then_a_picture_under_one_name_are_both_kept_with_one_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with capture() as captured, weir.init() as run:
        run.log({"m": 1.0})
        run.log({"m": weir.Image(PICTURE)})
        run.log({"m": weir.Image(PICTURE)})
    assert caplog.text.count("held numbers before and holds media now") == 1
    assert captured.values("m")[0] == 1.0
    assert len(captured.media("m")) == 2


def test_every_key_of_a_point_is_written_down() -> None:
    """docs/formats/media.md has every key that any kind of media writes."""
    page = (Path(__file__).parents[3] / "docs/formats/media.md").read_text()
    values = [
        weir.Image(
            np.full((300, 300), 2.0),
            caption="c",
            boxes=[{"position": [0, 0, 1, 1], "class_id": 1, "score": 1.0, "caption": "b"}],
            masks={"m": {"mask_data": np.zeros((2, 2)), "class_labels": {0: "x"}}},
            classes={0: "x"},
        ),
        weir.Audio(np.zeros(5), 8_000),
        weir.Video(np.zeros((2, 4, 4, 3))),
        weir.Histogram([1.0, np.nan, np.inf, -np.inf]),
        weir.Table(["a", "b"], [[1, weir.Image(PICTURE)], ["x", None]]),
        weir.PointCloud(np.zeros((2, 3))),
        weir.plot.roc_curve([0, 1], [0.1, 0.9]),
        weir.plot.pr_curve([0, 1], [0.1, 0.9]),
        weir.plot.confusion_matrix([0, 1], [0, 1]),
        weir.Text("x" * 5_000),
        weir.Markdown("short"),
        weir.Html("<p>"),
    ]

    def keys(value: Any, free: bool = False) -> Iterator[str]:
        """All keys but those that the user names: masks, groups of boxes, classes."""
        if isinstance(value, dict):
            for key, each in value.items():
                yield from () if free else (key,)
                names = not free and key in ("masks", "boxes", "classes", "auc", "ap")
                yield from () if key == "mask_classes" else keys(each, free=names)
        elif isinstance(value, list):
            for each in value:
                yield from keys(each)

    for value in values:
        for key in keys(json.loads(json.dumps(one(value).facts))):
            assert f"`{key}`" in page, key


def test_a_capture_knows_media_of_a_run_by_its_id() -> None:
    with capture() as captured:
        for name in ("a", "b"):
            with weir.init(id=name) as run:
                run.log({"m": weir.Text(name)})
    assert [view.value() for view in captured.media("m", run_id="b")] == ["b"]
    assert isinstance(captured, Captured)
