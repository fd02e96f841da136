import math
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from weir._values import (
    MAX_STEP,
    MAX_TEXT_BYTES,
    Json,
    describe_rejected,
    in_short,
    to_attr_value,
    to_point_value,
    to_step,
    to_unix_us,
)


class Tensor:
    """What PyTorch and JAX scalars look like from outside."""

    def __init__(self, *values: float) -> None:
        self._values = values
        self.shape = (len(values),)

    def item(self) -> float:
        if len(self._values) != 1:
            raise RuntimeError("a Tensor with 2 elements cannot be converted to Scalar")
        return self._values[0]

    def __float__(self) -> float:
        return float(self.item())


class EagerTensor:
    """What a TensorFlow scalar looks like from outside."""

    def __init__(self, value: Any) -> None:
        self._value = value

    def numpy(self) -> Any:
        return np.asarray(self._value)


class Index:
    def __index__(self) -> int:
        return 7


class Hostile:
    def __float__(self) -> float:
        raise KeyboardInterrupt


class Broken:
    def item(self) -> float:
        raise ZeroDivisionError


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (1.5, 1.5),
        (3, 3.0),
        (True, 1.0),
        (Decimal("2.5"), 2.5),
        (Fraction(1, 4), 0.25),
        (np.float64(1.5), 1.5),
        (np.float32(0.5), 0.5),
        (np.float16(0.5), 0.5),
        (np.int8(-3), -3.0),
        (np.bool_(True), 1.0),
        (np.array(2.0), 2.0),
        (np.array([2.0]), 2.0),
        (np.array([[2]]), 2.0),
        (Tensor(4.0), 4.0),
        (EagerTensor(5.0), 5.0),
        (EagerTensor([6]), 6.0),
        (Index(), 7.0),
        (math.inf, math.inf),
        (np.float32("-inf"), -math.inf),
    ],
)
def test_numbers_of_every_library_are_numbers(value: Any, number: float) -> None:
    found = to_point_value(value)
    assert isinstance(found, float)
    assert found == number


@pytest.mark.parametrize("value", [math.nan, np.float32("nan"), Tensor(math.nan), Decimal("nan")])
def test_nan_stays_nan(value: Any) -> None:
    found = to_point_value(value)
    assert isinstance(found, float)
    assert math.isnan(found)


@pytest.mark.parametrize("value", ["text", np.str_("text")])
def test_text_is_text(value: Any) -> None:
    assert to_point_value(value) == "text"
    assert type(to_point_value(value)) is str


@pytest.mark.parametrize(
    "value",
    [
        None,
        object(),
        [1.0],
        {1},
        b"x",
        1j,
        np.complex64(1),
        np.array([1.0, 2.0]),
        np.array([]),
        np.datetime64("2020-01-01", "ns"),
        Tensor(1.0, 2.0),
        Broken(),
        10**400,
        "x" * (MAX_TEXT_BYTES + 1),
        "\ud800",
    ],
)
def test_what_is_neither_number_nor_text_is_none_of_them(value: Any) -> None:
    assert to_point_value(value) is None
    assert describe_rejected(value)


def test_values_that_raise_when_asked_can_still_be_described() -> None:
    class Shaped:
        def shape(self) -> None: ...

        def __repr__(self) -> str:
            raise RuntimeError("not now")

    assert describe_rejected(Shaped()) == "a Shaped is neither a number nor a text"
    assert in_short(Shaped()) == "a Shaped"
    assert in_short("x" * 1_000_000) == "'" + "x" * 99


def test_a_text_of_exactly_the_limit_is_taken() -> None:
    assert to_point_value("x" * MAX_TEXT_BYTES) is not None
    assert to_point_value("ü" * (MAX_TEXT_BYTES // 2 + 1)) is None


def test_an_interrupt_inside_a_value_is_not_swallowed() -> None:
    with pytest.raises(KeyboardInterrupt):
        to_point_value(Hostile())


@pytest.mark.parametrize(
    ("step", "whole"),
    [
        (0, 0),
        (-5, -5),
        (True, 1),
        (2.0, 2),
        (np.int64(9), 9),
        (np.float32(4), 4),
        (np.array(3), 3),
        (Index(), 7),
        (MAX_STEP, MAX_STEP),
        (-MAX_STEP, -MAX_STEP),
        (MAX_STEP + 1, None),
        (1.5, None),
        (math.nan, None),
        (math.inf, None),
        ("3", None),
        ("x", None),
        ([], None),
    ],
)
def test_a_step_is_a_whole_number_within_two_to_the_53(step: Any, whole: int | None) -> None:
    assert to_step(step) == whole


def test_timestamps_are_seconds_or_datetimes() -> None:
    assert to_unix_us(1.5) == 1_500_000
    assert to_unix_us(np.float64(2)) == 2_000_000
    assert to_unix_us(datetime(1970, 1, 1, 0, 0, 3, tzinfo=UTC)) == 3_000_000
    bad_ones = ("x", math.nan, 1e12, None, object(), Broken())
    assert [to_unix_us(bad) for bad in bad_ones] == [None] * 6


@pytest.mark.parametrize(
    ("value", "leaf"),
    [
        (None, None),
        (True, True),
        (3, 3),
        (0.5, 0.5),
        ("s", "s"),
        (np.float32(0.5), 0.5),
        (np.int64(4), 4),
        (np.bool_(True), True),
        ((1, 2), Json("[1, 2]")),
        ({"b", "a"}, Json('["a", "b"]')),
        (np.array([1, 2]), Json("[1, 2]")),
        (10**30, Json(10**30)),
        ([], Json("[]")),
        ([{"a": np.int64(1)}], Json('[{"a": 1}]')),
    ],
)
def test_a_leaf_of_config_is_a_scalar_or_json(value: Any, leaf: Any) -> None:
    found = to_attr_value(value)
    assert found == leaf
    assert type(found) is type(leaf)


def test_what_json_does_not_know_is_written_as_its_text() -> None:
    assert to_attr_value(Decimal) == Json("\"<class 'decimal.Decimal'>\"")
