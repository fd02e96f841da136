import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weir._names import derived_run_id, flatten, name_fault, random_run_id


@pytest.mark.parametrize("name", ["loss", "val/acc", "ü" * 256, "a b", "x.y", "日本"])
def test_good_names_have_no_fault(name: str) -> None:
    assert name_fault(name) is None


@pytest.mark.parametrize("name", ["", "a\nb", "a\x00", "\x7f", "ü" * 257, "\ud800", 3, None])
def test_bad_names_have_one(name: object) -> None:
    assert name_fault(name)


def test_nested_mappings_are_joined_with_a_slash() -> None:
    assert dict(flatten({"a": 1, "b": {"c": {"d": 2}, "e": 3}, 4: 5})) == {
        "a": 1,
        "b/c/d": 2,
        "b/e": 3,
        4: 5,
    }


def test_random_ids_are_readable_and_not_touched_by_a_seed() -> None:
    random.seed(1)
    first = random_run_id()
    random.seed(1)
    assert random_run_id() != first
    assert re.fullmatch("[a-z0-9]{10}", first)


@given(st.lists(st.text(), min_size=1, max_size=3), st.lists(st.text(), min_size=1, max_size=3))
def test_derived_ids_are_equal_exactly_when_their_parts_are(a: list[str], b: list[str]) -> None:
    one, other = derived_run_id(*a), derived_run_id(*b)
    assert (one == other) == ("\0".join(a) == "\0".join(b))
    assert re.fullmatch("[a-z0-9]{10}", one)


def test_a_derived_id_is_the_same_in_every_release() -> None:
    assert derived_run_id("p", "torchrun", "job7") == "oa71a8fo2x"
