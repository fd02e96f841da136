"""Which names files may have in an artifact, and what lies below a folder."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weir._artifacts.paths import (
    alias_fault,
    as_artifact_name,
    name_of_artifact_fault,
    path_fault,
    set_fault,
)
from weir._artifacts.walking import walk
from weir.errors import UsageError


@pytest.mark.parametrize(
    "path",
    ["", "/a", "a/", "a//b", ".", "..", "a/..", "../a", "a/./b", "C:a", "c:/a", "a\\b", "a\nb",
     "a\x00", "\udc80", "x" * 1_025],
)  # fmt: skip
def test_a_name_that_could_leave_its_folder_or_no_system_takes_is_refused(path):
    assert path_fault(path)


@pytest.mark.parametrize(
    "path", ["a", "a/b.txt", "naïve/☃", "..a/b..", ".hidden", "a b", "x" * 255]
)
def test_ordinary_names_are_taken(path):
    assert path_fault(path) is None


@given(st.text(alphabet="ab./\\:C\u0301e", max_size=12))
def test_a_name_that_is_taken_stays_below_any_folder(path):
    if path_fault(path) is None:
        joined = os.path.normpath(os.path.join("/etc/folder", path))
        assert joined.startswith("/etc/folder/")


def test_two_ways_to_write_one_name_are_refused():
    assert "clash" in set_fault(["caf\u00e9", "cafe\u0301"])
    assert "twice" in set_fault(["a", "a"])
    assert set_fault(["a", "b/a", "b/c"]) is None


def test_a_file_cannot_be_a_folder_too():
    assert "folder" in set_fault(["a/b/c", "a/b"])
    assert "folder" in set_fault(["a", "a/b/c"])


def test_artifact_names_and_aliases_are_those_that_the_server_takes():
    assert name_of_artifact_fault("team/resnet-50_v1.2") is None
    for bad in ("", "a b", "a//b", "/a", "a/..", "ü", "x" * 129):
        assert name_of_artifact_fault(bad)
    assert alias_fault("best") is None
    for bad in ("", "v3", "a b", "a/b", "0" * 64):
        assert alias_fault(bad)
    assert as_artifact_name("my model (1).pt") == "my-model-1-.pt"
    assert name_of_artifact_fault(as_artifact_name("///")) is None


def test_a_folder_is_walked_in_order_and_links_are_followed(tmp_path):
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "file").touch()
    (tmp_path / "a").touch()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "far").touch()
    (tmp_path / "b" / "link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "empty").mkdir()
    names = [name for name, _ in walk(str(tmp_path), "top")]
    assert names == ["top/a", "top/b/file", "top/b/link/far", "top/elsewhere/far"]


def test_a_link_that_leads_in_a_circle_is_refused(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "loop").symlink_to(tmp_path)
    with pytest.raises(UsageError, match="leads back"):
        list(walk(str(tmp_path)))


def test_a_link_to_itself_or_to_nothing_and_a_pipe_are_refused(tmp_path):
    for name, make in {
        "self": lambda path: path.symlink_to(path),
        "nothing": lambda path: path.symlink_to(tmp_path / "gone"),
        "pipe": os.mkfifo,
    }.items():
        folder = tmp_path / f"with-{name}"
        folder.mkdir()
        make(folder / "x")
        with pytest.raises((UsageError, OSError), match=r"link|no file|symbolic"):
            list(walk(str(folder)))
