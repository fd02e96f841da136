"""What nodes measured and processes printed: bad rows are taken out and named, good ones stay."""

import json
from dataclasses import replace

import numpy as np
import pytest

from tests.unit.server.test_validate_points import LIMITS, NOW, check, codes
from weir_proto.v1 import ingest_pb2 as pb
from weir_server.errors import InvalidFrame
from weir_server.gateway.cardinality import MetricCounter
from weir_server.gateway.limits import MAX_CLOCK_ERROR_US
from weir_server.gateway.validate import validate

NAMES = ["", "cpu.percent", "gpu0", "x" * 600, "bell\x07"]
EMPTY, CPU, GPU0, LONG, CONTROL = range(len(NAMES))


def system(metric, device, times=None, values=None) -> pb.SystemBlock:
    n = len(metric)
    return pb.SystemBlock(
        metric=np.array(metric, "<u4").tobytes(),
        device=np.array(device, "<u4").tobytes(),
        time_unix_us=np.array(times if times is not None else [NOW] * n, "<i8").tobytes(),
        value=np.array(values if values is not None else range(n), "<f8").tobytes(),
    )


def lines(texts, *, process=b"p" * 16, times=None, streams=None, levels=None) -> pb.LineBlock:
    n = len(texts)
    return pb.LineBlock(
        process=process,
        rank=2,
        number=np.arange(1, n + 1, dtype="<u8").tobytes(),
        time_unix_us=np.array(times if times is not None else [NOW] * n, "<i8").tobytes(),
        stream=bytes(streams if streams is not None else [1] * n),
        level=bytes(levels if levels is not None else [0] * n),
        line=texts,
    )


def body(*blocks: pb.SystemBlock | pb.LineBlock) -> pb.Body:
    return pb.Body(
        schema=1,
        names=NAMES,
        system=[block for block in blocks if isinstance(block, pb.SystemBlock)],
        lines=[block for block in blocks if isinstance(block, pb.LineBlock)],
    )


def values_of(kept: pb.Body) -> list[float]:
    return [v for block in kept.system for v in np.frombuffer(block.value, "<f8").tolist()]


def test_a_good_body_of_a_node_is_taken_as_it_came():
    odd = [float("nan"), float("inf")]
    verdict = check(
        body(
            system([CPU, CPU], [EMPTY, GPU0], values=odd),
            lines(["", "\x1b[31mred\0"], streams=[1, 3], levels=[0, 255]),
        )
    )
    assert verdict.rest is None
    assert verdict.points == 4
    assert not verdict.findings


def test_the_node_as_a_whole_is_a_device_and_no_metric():
    verdict = check(body(system([CPU, EMPTY, CPU], [EMPTY, GPU0, GPU0])))
    assert values_of(verdict.rest) == [0.0, 2.0]
    assert codes(verdict) == {"METRIC_NAME_EMPTY": 1}


@pytest.mark.parametrize(
    ("metric", "device", "code"),
    [
        (LONG, EMPTY, "METRIC_NAME_TOO_LONG"),
        (CPU, LONG, "METRIC_NAME_TOO_LONG"),
        (CONTROL, EMPTY, "METRIC_NAME_CONTROL"),
        (CPU, CONTROL, "METRIC_NAME_CONTROL"),
        (99, EMPTY, "INDEX_OUT_OF_RANGE"),
        (CPU, 99, "INDEX_OUT_OF_RANGE"),
    ],
)
def test_a_bad_name_costs_its_measurements_and_nothing_else(metric, device, code):
    verdict = check(body(system([CPU, metric], [GPU0, device])))
    assert values_of(verdict.rest) == [0.0]
    assert codes(verdict) == {code: 1}
    assert (verdict.points, verdict.findings.points) == (1, 1)


def test_a_measurement_with_two_faults_is_counted_once():
    verdict = check(body(system([LONG, CPU], [CONTROL, EMPTY], times=[0, NOW])))
    assert sum(codes(verdict).values()) == verdict.findings.points == 1


@pytest.mark.parametrize("off", [MAX_CLOCK_ERROR_US + 1, -MAX_CLOCK_ERROR_US - 1])
def test_a_time_ten_years_off_costs_its_row(off):
    verdict = check(
        body(
            system([CPU, CPU], [EMPTY, GPU0], times=[NOW + off, NOW]),
            lines(["far", "near"], times=[NOW + off, NOW]),
        )
    )
    assert values_of(verdict.rest) == [1.0]
    assert [list(block.line) for block in verdict.rest.lines] == [["near"]]
    assert codes(verdict) == {"TIME_OUT_OF_RANGE": 2}


@pytest.mark.parametrize("column", ["metric", "device", "time_unix_us", "value"])
def test_a_system_block_whose_columns_differ_is_dropped_and_others_kept(column):
    bad = system([CPU, CPU], [EMPTY, GPU0])
    setattr(bad, column, getattr(bad, column) + b"1")
    verdict = check(body(bad, system([CPU], [EMPTY], values=[7])))
    assert values_of(verdict.rest) == [7.0]
    assert list(codes(verdict)) == ["COLUMNS_MISMATCH"]


@pytest.mark.parametrize("column", ["number", "time_unix_us", "stream", "level"])
def test_a_block_of_lines_whose_columns_differ_is_dropped_and_others_kept(column):
    bad = lines(["a", "b"])
    setattr(bad, column, getattr(bad, column) + b"1")
    verdict = check(body(bad, lines(["kept"])))
    assert [list(block.line) for block in verdict.rest.lines] == [["kept"]]
    assert codes(verdict) == {"COLUMNS_MISMATCH": 2}


def test_lines_of_no_process_and_of_unknown_streams_are_taken_out_and_named():
    verdict = check(
        body(lines(["a", "b"], process=b"short"), lines(["c", "d", "e"], streams=[0, 2, 4]))
    )
    (kept,) = verdict.rest.lines
    assert (list(kept.line), kept.process, kept.rank) == (["d"], b"p" * 16, 2)
    assert np.frombuffer(kept.number, "<u8").tolist() == [2]
    assert codes(verdict) == {"LINE_INVALID": 2}
    assert [r.field for r in verdict.findings.rejects(1)] == ["process", "stream"]
    assert verdict.points == 1


def test_a_line_too_long_is_refused_and_its_neighbours_stay():
    limit = LIMITS.max_text_bytes
    verdict = check(body(lines(["x" * limit, "é" * (limit // 2 + 1), "fine"], levels=[1, 2, 3])))
    (kept,) = verdict.rest.lines
    assert [len(line) for line in kept.line] == [limit, 4]
    assert kept.level == bytes([1, 3])
    assert codes(verdict) == {"TEXT_TOO_LONG": 1}


def test_measurements_and_lines_count_towards_the_points_of_a_frame():
    limits = replace(LIMITS, max_frame_points=6)
    printed = lines(["a", "b", "c"])
    assert check(body(system([CPU] * 3, [EMPTY] * 3), printed), limits).points == 6
    with pytest.raises(InvalidFrame, match="7 points"):
        check(body(system([CPU] * 4, [EMPTY] * 4), printed), limits)


def test_what_nodes_measure_are_no_metrics_of_the_run():
    counter = MetricCounter(1)

    def judge(one: pb.Body):
        return validate(
            one.SerializeToString(),
            LIMITS,
            now_unix_us=NOW,
            admit=lambda names: counter.admit("p", "r", names),
        )

    assert not judge(body(system([CPU, CPU], [EMPTY, GPU0]))).findings
    point = pb.PointBlock(
        width=1,
        metric=np.array([0], "<u4").tobytes(),
        step=bytes(8),
        time_unix_us=np.array([NOW], "<i8").tobytes(),
        value=bytes(8),
    )
    assert not judge(pb.Body(schema=1, names=["loss"], points=[point])).findings
    # One metric is too many for the run, and still what a node may measure.
    both = pb.Body(schema=1, names=["acc", "gpu0"], points=[point], system=[system([0], [1])])
    verdict = judge(both)
    assert codes(verdict) == {"TOO_MANY_METRICS": 1}
    assert not verdict.rest.points
    assert values_of(verdict.rest) == [0.0]
    assert list(verdict.rest.names) == ["acc", "gpu0"]


def media(*values: str, kind: int = pb.TextBlock.MEDIA) -> pb.Body:
    n = len(values)
    block = pb.TextBlock(
        metric=bytes(4 * n),
        step=np.arange(n, dtype="<i8").tobytes(),
        time_unix_us=np.array([NOW] * n, "<i8").tobytes(),
        value=values,
        kind=kind,  # type: ignore[arg-type]
    )
    return pb.Body(schema=1, names=["image"], texts=[block])


def test_what_tells_of_files_has_to_be_json_and_stays_what_it_is():
    good = json.dumps({"type": "image", "sha256": "0" * 64})
    assert check(media(good, "[]")).rest is None
    verdict = check(media("{", good, "words"))
    (kept,) = verdict.rest.texts
    assert (list(kept.value), kept.kind) == ([good], pb.TextBlock.MEDIA)
    assert codes(verdict) == {"TEXT_INVALID": 2}
    assert check(media("{", kind=pb.TextBlock.TEXT)).rest is None


def test_texts_of_a_kind_nobody_knows_are_refused():
    verdict = check(media("{}", "{}", kind=7))
    assert not verdict.rest.texts
    assert codes(verdict) == {"TEXT_INVALID": 2}


@pytest.mark.parametrize(
    ("value", "taken"),
    [
        ({"json": '{"sha256":"00"}'}, True),
        ({"deleted": True}, True),
        ({"json": "{"}, False),
        ({"str": "{}"}, False),
        ({"null": True}, False),
    ],
)
def test_a_file_of_the_run_is_told_as_json(value, taken):
    attr = pb.Attr(namespace=pb.Attr.FILE, path="code/diff.patch", **value)
    verdict = check(pb.Body(schema=1, attrs=[attr]))
    assert (verdict.rest is None) is taken
    assert codes(verdict) == ({} if taken else {"ATTR_INVALID": 1})
