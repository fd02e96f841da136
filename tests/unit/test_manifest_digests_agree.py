"""Client and server say the same of a manifest; neither imports the other."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from weir._artifacts import manifest as client
from weir_store.artifacts import manifest as server
from weir_store.artifacts.records import ManifestFile

_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
_FILES = st.lists(
    st.builds(
        dict,
        path=_TEXT,
        sha256=st.sampled_from(["", "0" * 64]),
        size_bytes=st.integers(0, 2**63),
        uri=_TEXT,
        etag=_TEXT,
    ),
    max_size=6,
    unique_by=lambda file: file["path"],
)


@given(_FILES)
def test_both_halves_compute_the_same_digest(files: list[dict]) -> None:
    theirs = server.digest_of([ManifestFile(**file) for file in files])
    assert client.manifest_digest([client.ManifestFile(**file) for file in files]) == theirs


def test_the_digest_is_that_of_the_page() -> None:
    files = [
        ManifestFile("big.bin", "", 10**12, uri="s3://there/big.bin", etag="tag-1"),
        ManifestFile(
            "a.txt", "7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed", 3
        ),
    ]
    assert server.line_of(files[0]) == b'["big.bin","ref:s3://there/big.bin#tag-1",1000000000000]\n'
    assert server.digest_of(files) == (
        "a0345aa66e2857f707eb13620e265461f93bdeb36ec989fbd4ee4502ab696ce8"
    )
    assert server.digest_of([]).startswith("e3b0c442")
