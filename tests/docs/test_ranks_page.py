"""docs/ranks.md names every column, word and function there is."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import get_args

from weir._api_ranks import Hang, Interval, Over, Reduction
from weir_store.functions import FUNCTIONS
from weir_store.ranks import base, shapes

PAGE = (Path(__file__).parents[2] / "docs/ranks.md").read_text()
NAMED = set(re.findall(r"`\.?([\w%.-]+)", PAGE))


def test_every_column_is_explained() -> None:
    for schema in (
        shapes.reduced(),
        shapes.RANKS,
        shapes.STRAGGLERS,
        shapes.STRAGGLER_NODES,
        shapes.STRAGGLER_STEPS,
        shapes.NODES,
        shapes.DIVERGENCE,
    ):
        assert set(schema.names) <= NAMED


def test_every_word_function_and_name_is_explained() -> None:
    for words in (Over, Reduction, Interval):
        assert set(get_args(words)) <= NAMED
    assert set(FUNCTIONS) <= NAMED
    assert {field.name for field in dataclasses.fields(Hang)} <= NAMED
    for field in dataclasses.fields(base.Names):
        names = getattr(base.USUAL_NAMES, field.name)
        assert all(name in NAMED or f"_{name.split('_', 1)[1]}" in NAMED for name in names), (
            field.name
        )


def test_client_and_store_have_the_same_words() -> None:
    assert set(get_args(Over)) == set(base.Over)
    assert set(get_args(Reduction)) == set(base.Reduction)
    assert set(get_args(Interval)) == set(base.Interval)
    assert f"{base.USUAL_PATIENCE.floor_s:g} s at least" in PAGE
