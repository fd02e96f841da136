import pytest

from weir_store.codes import (
    CREDENTIAL_CODES,
    HINTS,
    INSERT_SCHEMA_CODES,
    INVALID_QUERY_CODES,
    REJECTED_CODES,
    SCHEMA_CODES,
    Doing,
    to_store_error,
)
from weir_store.errors import (
    InvalidQuery,
    SchemaMismatch,
    StoreRejected,
    StoreUnavailable,
    WrongCredentials,
)

# Server down, slow, full, read-only, in doubt, out of memory, out of parts … and one nobody has seen yet.
WAITING_HELPS = [
    3,
    159,
    164,
    202,
    203,
    209,
    210,
    219,
    225,
    241,
    242,
    243,
    252,
    285,
    286,
    319,
    425,
    999,
    1001,
    88_888,
]


@pytest.mark.parametrize("code", WAITING_HELPS)
def test_an_insert_is_repeated_unless_it_is_known_that_repeating_cannot_help(code: int) -> None:
    assert type(to_store_error(code, "said", Doing.INSERTING)) is StoreUnavailable


@pytest.mark.parametrize("code", CREDENTIAL_CODES)
@pytest.mark.parametrize("doing", Doing)
def test_a_wrong_password_says_what_to_check_and_loses_nothing(code: int, doing: Doing) -> None:
    error = to_store_error(code, "said", doing)

    assert isinstance(error, WrongCredentials)
    assert isinstance(error, StoreUnavailable)  # rows wait until somebody has put it right
    assert "clickhouse.password" in error.hint


@pytest.mark.parametrize("doing", Doing)
def test_no_answer_at_all_is_worth_repeating(doing: Doing) -> None:
    assert type(to_store_error(None, "connection refused", doing)) is StoreUnavailable


@pytest.mark.parametrize("code", REJECTED_CODES)
def test_rows_that_cannot_be_parsed_are_given_up(code: int) -> None:
    assert type(to_store_error(code, "said", Doing.INSERTING)) is StoreRejected


@pytest.mark.parametrize("code", [*SCHEMA_CODES, *INSERT_SCHEMA_CODES])
def test_a_table_or_column_that_is_missing_asks_for_a_migration(code: int) -> None:
    error = to_store_error(code, "said", Doing.INSERTING)

    assert type(error) is SchemaMismatch
    assert "weir migrate" in error.hint


@pytest.mark.parametrize("code", INVALID_QUERY_CODES)
def test_a_wrong_question_is_the_asker_s_to_fix(code: int) -> None:
    assert type(to_store_error(code, "said", Doing.ASKING)) is InvalidQuery


@pytest.mark.parametrize("code", [159, 202, 209, 241])
def test_a_question_without_an_answer_in_time_may_be_asked_again(code: int) -> None:
    assert type(to_store_error(code, "said", Doing.ASKING)) is StoreUnavailable


def test_no_code_means_both_a_missing_table_and_rows_to_give_up() -> None:
    assert not REJECTED_CODES.keys() & (SCHEMA_CODES.keys() | INSERT_SCHEMA_CODES.keys())


def test_what_only_a_person_can_put_right_says_so() -> None:
    for code, hint in HINTS.items():
        assert hint in str(to_store_error(code, "said", Doing.INSERTING))
