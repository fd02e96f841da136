"""Filters of strangers: refused by name, or SQL that holds nothing of what they wrote."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.targets import filter_text

WORDS = (
    "config.lr", "metrics.`a b`", 'summary."x\\"y"', "name", "state", "tags", "created", "duration", "nothing",
    "=", "!=", "<", ">=", "==", "AND", "OR", "NOT", "IN", "LIKE", "ILIKE", "BETWEEN", "IS", "NULL", "true",
    "(", ")", ",", "'", "''", "'a'", '"', "`", "\\", ";", "--", "/*", "*/", "{p0:String}", "%s", "$1", "@x", "::",
    "1", "-1", "1e400", "0x1F", "now()", "SELECT", "FROM runs", "UNION ALL SELECT 1", "CASE WHEN", "CAST(1 AS",
    "toDate('x')", "has(tags,", "'; DROP TABLE runs", "\0", "é", "\u202e", "\n", "x -> 1", "[1]", "*", "?", "||",
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(WORDS), max_size=12), st.sampled_from([" ", ""]))
def test_words_of_the_language_in_any_order_are_a_filter_or_are_refused(
    words: list[str], between: str
) -> None:
    filter_text(between.join(words).encode())


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=120))
def test_any_text_is_a_filter_or_is_refused(text: str) -> None:
    filter_text(text.encode("utf-8", "surrogatepass"))


@pytest.mark.parametrize(
    "text",
    [
        "(" * 3_000,
        "(" * 1_900 + "name='a'" + ")" * 1_900,
        "NOT " * 900 + "name='a'",
        "name IN (" + ",".join("'x'" for _ in range(900)) + ")",
        "config.a IN (" + ",".join(map(str, range(900))) + ")",
        " AND ".join(["name='a'"] * 280),
        " OR ".join(["config.x<1"] * 280),
        "name LIKE '" + "%" * 3_900 + "'",
        "-" * 3_900 + "1 < config.a",
        "config.a = " + "-" * 500 + "1",
        "a" * 100_000,
        "[" * 3_900,
        "config." + "a." * 1_900 + "b = 1",
        "CASE " * 700,
        "{" * 1_000,
    ],
    ids=lambda text: f"{text[:12]}…{len(text)}",
)
def test_a_deep_or_a_long_filter_is_answered(text: str) -> None:
    filter_text(text.encode())


@settings(max_examples=300, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_a_mutated_filter_injects_nothing(seed: int) -> None:
    rng = random.Random(seed)
    text = "config.lr < 0.1 AND (name LIKE 'a%' OR tags = 'x') AND NOT metrics.loss IS NULL AND state IN ('a', 'b')"
    for _ in range(rng.randrange(1, 6)):
        at = rng.randrange(len(text) + 1)
        text = text[:at] + rng.choice(WORDS) + text[at + rng.randrange(4) :]
    filter_text(text.encode())
