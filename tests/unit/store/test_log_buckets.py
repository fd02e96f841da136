"""Buckets of a logarithmic axis."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weir_store.log_buckets import NOWHERE, log_ruler, ruler_of_whole

positive = st.floats(min_value=1e-9, max_value=1e15)


@given(positive, positive, st.integers(1, 4_096))
def test_a_range_takes_at_most_as_many_buckets_as_were_asked_for(one, other, most):
    low, high = sorted((one, other))
    ruler = log_ruler(low, high, most)
    assert ruler.slot(high) - ruler.slot(low) < most
    finer = type(ruler)(ruler.low, ruler.shift - 1)
    assert ruler.shift == 0 or finer.slot(high) - finer.slot(low) >= most


@given(st.lists(positive, min_size=2), st.integers(1, 4_096))
def test_buckets_rise_with_x(values, most):
    values.sort()
    slots = [log_ruler(values[0], values[-1], most).slot(x) for x in values]
    assert slots == sorted(slots)


@given(st.integers(0, 40), st.integers(64, 2_048))
def test_every_octave_has_as_many_buckets(octave, most):
    ruler = log_ruler(1.0, 2.0**41, most)
    first, end = ruler.slot(2.0**octave), ruler.slot(2.0 ** (octave + 1))
    assert end - first == 1 << ruler.parts


@pytest.mark.parametrize("x", [0.0, -0.0, -3.0, -math.inf])
def test_zero_and_below_have_a_bucket_of_their_own(x):
    ruler = log_ruler(-5.0, 100.0, 64)
    assert ruler.slot(x) == NOWHERE
    assert ruler.slot(1e-300) == ruler.slot(ruler.low) > NOWHERE


def test_steps_that_are_not_wanted_do_not_coarsen_those_that_are():
    whole = ruler_of_whole(0, 1 << 30, (0, 1 << 40), 64)
    part = ruler_of_whole(0, 1 << 30, (1 << 20, 1 << 21), 64)
    assert part.parts > whole.parts
