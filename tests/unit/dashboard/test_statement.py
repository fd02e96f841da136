"""Statements in the address, and their parameters."""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
import zlib
from pathlib import Path
from urllib.parse import parse_qs, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weir_dashboard import statement

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=3_000)


@given(TEXT)
def test_a_statement_comes_back_from_its_address(text):
    address = statement.address(text)
    assert statement.parse(parse_qs(address.partition("?")[2])) == text.strip()


def test_a_long_statement_takes_little_room():
    text = "SELECT step, value FROM metrics WHERE run_id IN ('r0001')\n" * 100
    assert len(statement.address(text)) < 400


def test_values_of_parameters_come_back_from_the_address():
    values = {"metric": "a&b=c", "step": "7"}
    query = parse_qs(urlencode(statement.build("SELECT 1", values), doseq=True))
    assert statement.values(query) == values


@pytest.mark.parametrize(
    "packed", ["", "!", "AAAA", "x" * 5_000, "ü", base64.b64encode(b"\xff\xfe").decode()]
)
def test_an_address_that_was_cut_or_made_up_counts_as_no_statement(packed):
    assert statement.parse({"sqlz": [packed]}) == ""


def test_a_packed_statement_that_grows_without_end_is_not_unpacked():
    bomb = base64.urlsafe_b64encode(zlib.compress(b"S" * (statement.LONGEST_BYTES + 1), 9)).decode()
    assert len(bomb) < 1_000
    assert statement.parse({"sqlz": [bomb]}) == ""


def test_parameters_are_found_with_their_types():
    text = "SELECT {a:String}, { b : Array(Float64) } FROM runs WHERE {a:String} = 'x'"
    assert statement.parameters(text) == {"a": "String", "b": "Array(Float64)"}
    assert statement.parameters("SELECT map('a', 1), '{}'") == {}


def test_the_browser_half_of_the_desk_passes_its_tests(tmp_path):
    node = shutil.which("node")
    if node is None:
        if os.environ.get("CI"):
            pytest.fail("no node: CI must run the browser half")
        pytest.skip("no node on PATH")
    packed = tmp_path / "address"
    done = subprocess.run(
        [node, "--test", str(Path(__file__).with_name("sql.test.mjs"))],
        env={**os.environ, "WEIR_PACKED_SQL": str(packed)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    query = parse_qs(packed.read_text().partition("?")[2])
    assert statement.parse(query) == "SELECT '" + "ü+/" * 900 + "'"
