import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weir_store.conditions import EVERYTHING, AllOf, Compare, Field, Kind, Word, fields_of
from weir_store.errors import InvalidQuery
from weir_store.filter import MAX_CHARS, parse, parse_field
from weir_store.filter_match import Subject, matches
from weir_store.filter_sql import Columns, compile_condition
from weir_store.parameters import Parameters

GUIDE = Path(__file__).parents[3] / "docs" / "filter.md"
RUN = {
    "name": "resnet-50",
    "id": "k3j9x2mq7a",
    "state": "finished",
    "group": "sweep-7",
    "job_type": "train",
    "user": "ada",
    "notes": "",
    "project": "vision",
    "created": 1_780_000_000_000_000.0,
    "finished": 1_780_000_600_000_000.0,
    "duration": 600.0,
    "config.lr": 0.003,
    "config.optimizer.name": "adam",
    "config.layers.0.size": 64.0,
    "config.a.b-c": 1.0,
    "config.amp": 1.0,
    "metrics.train/loss": 0.25,
    "metrics.val/acc": 0.91,
    "metric.train/loss@min": 0.2,
    "metric.train/loss@1000": 0.3,
    "metric.map@50@last": 0.7,
    "summary.val/acc": 0.95,
    "meta.git.commit": "8bee9df",
}
SUBJECT = Subject(lambda f: RUN.get(str(f)), ("baseline", "Big"), ("resnet-50", "k3j9", "baseline"))


def _matches(text: str) -> bool:
    return matches(parse(text), SUBJECT)


def _examples(verdict: str) -> list[str]:
    """Lines of docs/filter.md's blocks marked ```filter-<verdict>."""
    blocks = re.findall(rf"```filter-{verdict}\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line.strip()]


@pytest.mark.parametrize("text", _examples("matches"))
def test_what_the_guide_says_matches_does(text: str) -> None:
    assert _matches(text)


@pytest.mark.parametrize("text", _examples("differs"))
def test_what_the_guide_says_does_not_match_does_not(text: str) -> None:
    assert not _matches(text)


@pytest.mark.parametrize("line", _examples("errors"))
def test_what_the_guide_says_is_wrong_is_refused_with_that_message(line: str) -> None:
    text, _, message = line.partition("   → ")
    with pytest.raises(InvalidQuery) as refused:
        parse(text.strip())
    assert message.strip() in str(refused.value)


def test_an_empty_filter_matches_everything() -> None:
    assert parse("") == parse("  \n") == EVERYTHING


def test_words_stand_before_the_condition() -> None:
    lr = Compare(Field("config", "lr", Kind.ANY), "<", 0.1)
    assert parse("resnet big config.lr<0.1") == AllOf((Word("resnet"), Word("big"), lr))
    assert parse("resnet AND config.lr < 0.1") == AllOf((Word("resnet"), lr))


def test_positions_in_messages_are_those_of_the_text_as_written() -> None:
    with pytest.raises(InvalidQuery, match="'speed' at character 28"):
        parse("""config."a.b-c" = 'x' AND (speed > 1)""".replace("AND (", "AND  ("))


@pytest.mark.parametrize(
    "text",
    [
        "config.x = (SELECT 1)",
        "config.x IN (SELECT 1)",
        "config.x = sleep(3)",
        "EXISTS (SELECT 1)",
        "config.x = 1 UNION ALL SELECT 1",
        "config.x = 1; DROP TABLE runs",
        "config.x = 1 SETTINGS max_threads = 1",
        "config.x = {p0:String}",
        "config.x = file('/etc/passwd')",
        "duration::Int64 = 1",
        "config.x + 1 = 2",
        "CASE WHEN true THEN true END",
        "true",
        "1 = 1",
        "config.x = config.y",
        "config.x = NULL",
        "config.x = 1e999",
        "config.x LIKE 'a' ESCAPE 'b'",
        "config.x = 'a",
        "has(tags, 1)",
        "'a' IN name",
        "tags = 'a'",
        "tags IS NULL",
        "state = 1",
        "metrics.loss = 'low'",
        "created > 'yesterday'",
        "created > 1e30",
        "name LIKE 'a\\\\'",
        "my.config.x = 1",
        "(" * 100 + "config.x = 1" + ")" * 100,
        "NOT " * 500 + "config.x = 1",
        "config.x = 1 AND " * 1_000 + "true",
        "x" * (MAX_CHARS + 1),
    ],
)
def test_nothing_but_the_language_is_taken(text: str) -> None:
    with pytest.raises(InvalidQuery):
        parse(text)


_WORDS = """config.lr metrics.train/loss summary."a b" tags name state created ( ) AND OR NOT IN BETWEEN
    LIKE ILIKE IS NULL = != < <= > >= , 0.1 -1 1e9 'a' 'it''s' '%_\\' "q" `t` true resnet SELECT
    ; -- /* */ {p0:String} $$x$$ 0x1F [1] has( ' " ` \\ ::Int INTERVAL DATE ESCAPE ANY x'41' é 🦆 \x00"""
_PIECES = st.sampled_from(_WORDS.split())


@given(st.lists(_PIECES, max_size=14).map(" ".join) | st.text(max_size=60))
def test_no_text_raises_anything_but_invalid_query(text: str) -> None:
    try:
        condition = parse(text)
    except InvalidQuery:
        return
    assert isinstance(matches(condition, SUBJECT), bool)


_SECRET = "zqx"


@given(st.lists(_PIECES | st.sampled_from([f"'{_SECRET}'", f"config.{_SECRET}"]), max_size=14))
def test_sql_holds_no_text_of_the_user_outside_parameters(pieces: list[str]) -> None:
    try:
        condition = parse(" ".join([*pieces, f"'{_SECRET}' IN tags"]))
    except InvalidQuery:
        return
    columns = {field: Columns("n", "t") for field in fields_of(condition)}
    sql = compile_condition(condition, columns, Parameters())
    assert _SECRET not in sql
    words = set(re.findall(r"[A-Za-z_]\w*", re.sub(r"\{p\d+:\w+\}", "", sql)))
    assert words <= {
        *("AND", "OR", "NOT", "LIKE", "ILIKE", "true", "false", "n", "t", "tag", "tags", "name"),
        *("run_id", "notes", "isNull", "has", "arrayExists", "positionCaseInsensitiveUTF8"),
        "reinterpretAsFloat64",
    }


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("created", Field("run", "created", Kind.TIME)),
        ("config.lr", Field("config", "lr", Kind.ANY)),
        ('metrics."train loss"', Field("metrics", "train loss", Kind.NUMBER)),
        ("summary.val/acc", Field("summary", "val/acc", Kind.ANY)),
        ("metric.val/loss", Field("metric", "val/loss@last", Kind.NUMBER)),
        ("metric.val/loss@min", Field("metric", "val/loss@min", Kind.NUMBER)),
        ("metric.map@50@007", Field("metric", "map@50@7", Kind.NUMBER)),
        ('metric."a b@best"', Field("metric", "a b@best@last", Kind.NUMBER)),
    ],
)
def test_a_field_to_sort_by_is_written_as_in_a_filter(text: str, field: Field) -> None:
    assert parse_field(text) == field


def test_an_unknown_field_to_sort_by_is_refused() -> None:
    with pytest.raises(InvalidQuery, match="unknown field 'lr'"):
        parse_field("lr")
