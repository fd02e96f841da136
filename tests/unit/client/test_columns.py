import math
from array import array

from hypothesis import given, settings
from hypothesis import strategies as st

from weir._body import pack_body
from weir._columns import MAX_LAYOUT_NAME_BYTES, Layout, Row, StepMemory, split_names
from weir._queue import Batch, Queue
from weir._reading import read_points
from weir._spool import MAX_BODY_BYTES
from weir_proto.v1 import ingest_pb2 as pb

LAYOUTS = [Layout(names) for names in (("a",), ("a", "b"), ("c", "d", "e"), ("b", "c"), ("f",))]


def body_of(rows: list[Row], memory: StepMemory | None = None, **more: object) -> pb.Body:
    batch = Batch(rows=rows, **more)  # type: ignore[arg-type]
    return pb.Body.FromString(pack_body(batch, memory or StepMemory()))


def row(layout: Layout, step: int, *values: float, time_us: int = 5) -> Row:
    return (layout, step, time_us, array("d", values))


def points(body: pb.Body) -> dict[tuple[str, int], float | str]:
    found = list(read_points(body, run_id="r", rank=0))
    mapped = {(point.metric, point.step): point.value for point in found}
    assert len(mapped) == len(found), "a (metric, step) occurs twice in one frame"
    return mapped


@st.composite
def many_rows(draw: st.DrawFn) -> list[Row]:
    rows = []
    for _ in range(draw(st.integers(0, 30))):
        layout = draw(st.sampled_from(LAYOUTS))
        values = draw(st.lists(st.floats(), min_size=layout.width, max_size=layout.width))
        rows.append(row(layout, draw(st.integers(-3, 12)), *values))
    return rows


@given(many_rows())
def test_a_frame_holds_the_last_value_of_every_metric_and_step(rows: list[Row]) -> None:
    wanted = {
        (name, step): value
        for layout, step, _, values in rows
        for name, value in zip(layout.names, values, strict=True)
    }
    got = points(body_of(rows))
    assert got.keys() == wanted.keys()
    for key, value in got.items():
        assert value == wanted[key] or (math.isnan(value) and math.isnan(wanted[key]))  # type: ignore[arg-type]


@given(st.lists(many_rows(), max_size=5))
def test_a_block_not_marked_rewrites_repeats_nothing_sent_before(frames: list[list[Row]]) -> None:
    memory, sent = StepMemory(), set()
    for rows in frames:
        body = body_of(rows, memory)
        for block in body.points:
            alone = pb.Body(names=body.names, points=[block])
            keys = points(alone).keys()
            assert block.rewrites or not (keys & sent)
            sent |= keys


def test_an_ordinary_run_never_claims_rewrites() -> None:
    memory = StepMemory()
    for start in range(0, 50, 10):
        body = body_of([row(LAYOUTS[1], step, 1, 2) for step in range(start, start + 10)], memory)
        assert [block.rewrites for block in body.points] == [False]
        assert body.points[0].width == 2


def test_rows_with_the_same_names_share_one_grid_block() -> None:
    rows = [row(LAYOUTS[1], step, step, -step) for step in range(100)]
    body = body_of(rows)
    assert [block.width for block in body.points] == [2]
    assert len(body.points[0].value) == 100 * 2 * 8


def test_narrow_rows_that_come_alone_share_one_columns_block() -> None:
    rows = [row(Layout((f"m{i}",)), i, i) for i in range(50)]
    body = body_of(rows)
    assert [block.width for block in body.points] == [0]
    assert points(body) == {(f"m{i}", i): float(i) for i in range(50)}


def test_texts_of_one_metric_and_step_keep_the_later() -> None:
    body = body_of(
        [], texts=[("t", 1, 5, "old", False), ("t", 1, 6, "new", False), ("t", 2, 7, "ü", False)]
    )
    assert points(body) == {("t", 1): "new", ("t", 2): "ü"}


def test_texts_that_name_files_have_a_block_of_their_own() -> None:
    queue = Queue(1 << 20)
    queue.put_text("t", 1, 5, "words")
    queue.put_text("image", 1, 5, "{}", media=True)
    body = pb.Body.FromString(pack_body(queue.take(), StepMemory()))
    assert [(block.kind, list(block.value)) for block in body.texts] == [
        (pb.TextBlock.TEXT, ["words"]),
        (pb.TextBlock.MEDIA, ["{}"]),
    ]
    assert points(body) == {("t", 1): "words", ("image", 1): "{}"}


def test_of_a_text_and_a_file_at_one_metric_and_step_the_later_stays() -> None:
    body = body_of([], texts=[("t", 1, 5, "{}", True), ("t", 1, 6, "words", False)])
    assert [(block.kind, list(block.value)) for block in body.texts] == [
        (pb.TextBlock.TEXT, ["words"])
    ]


@given(
    names=st.lists(
        st.text(st.characters(codec="utf-8"), min_size=1, max_size=90),
        min_size=1,
        max_size=60,
        unique=True,
    ),
    rows=st.integers(1, 400),
    repeated=st.booleans(),
    text=st.text(st.characters(codec="utf-8"), max_size=900),
)
@settings(max_examples=25, deadline=None)
def test_every_frame_of_a_full_queue_fits_its_limit(
    names: list[str], rows: int, repeated: bool, text: str
) -> None:
    queue, layout, memory = Queue(1 << 30), Layout(tuple(names)), StepMemory()
    for step in range(rows * 20):
        at = step // 2 if repeated else step
        queue.put_row(layout, at, 5, array("d", [0.0] * layout.width))
        if step % 7 == 0:
            queue.put_row(Layout((names[0],)), at, 5, array("d", [1.0]))
            queue.put_text(names[0], step, 5, text)
    while batch := queue.take():
        assert len(pack_body(batch, memory)) <= MAX_BODY_BYTES


@given(st.lists(st.text("aé", min_size=1, max_size=40), unique=True, max_size=60))
def test_splitting_names_keeps_them_all_in_order(names: list[str]) -> None:
    assert [name for part in split_names(names) for name in part] == names


def test_no_names_make_no_row() -> None:
    assert split_names(()) == []


def test_a_row_of_a_hundred_thousand_metrics_becomes_frames_that_fit() -> None:
    names = [f"layer.{i}/weights/gradient/norm" for i in range(100_000)]
    queue = Queue(1 << 30)
    for part in split_names(names):
        layout = Layout(part)
        assert layout.name_bytes <= MAX_LAYOUT_NAME_BYTES + 600
        queue.put_row(layout, 0, 5, array("d", [1.0] * layout.width))
    seen, memory = 0, StepMemory()
    while batch := queue.take():
        raw = pack_body(batch, memory)
        assert len(raw) <= MAX_BODY_BYTES
        seen += len(list(read_points(pb.Body.FromString(raw), run_id="r", rank=0)))
    assert seen == len(names)
