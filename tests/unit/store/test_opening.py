"""Where bytes lie, opened by those who only read: the dashboard beside the gateway."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from weir_store.errors import StoreUnavailable, UnknownObject
from weir_store.objects.local import LocalObjects
from weir_store.objects.opening import Place, open_for_reading, read_or_make_secret
from weir_store.objects.signing import Signer

DOOR = "http://127.0.0.1:7713"


def test_an_address_handed_out_beside_the_gateway_opens_the_gateways_door(tmp_path: Path) -> None:
    reading = open_for_reading(Place(dir=tmp_path / "objects", url=DOOR))
    signer = Signer(DOOR, read_or_make_secret(tmp_path / "objects"))  # the gateway starts later
    url = urlsplit(reading.url("p/blobs/aa/x", expires_s=60, filename="a.txt"))
    query = {name: values[0] for name, values in parse_qs(url.query).items()}
    assert signer.fault("GET", url.path[1:], query, now_unix_s=0) == ""
    assert signer.fault("PUT", url.path[1:], query, now_unix_s=0) != ""


def test_what_the_gateway_stored_is_read_and_nothing_is_made_before(tmp_path: Path) -> None:
    folder = tmp_path / "objects"
    reading = open_for_reading(Place(dir=folder, url=DOOR))
    with pytest.raises(UnknownObject):
        b"".join(reading.read("p/blobs/aa/x"))
    assert not folder.exists()
    LocalObjects(folder, Signer(DOOR, b"s"), unix_s=lambda: 0.0).write(
        "p/blobs/aa/x", BytesIO(b"hello"), 5
    )
    assert b"".join(reading.read("p/blobs/aa/x", first=1, length=3)) == b"ell"


@pytest.mark.parametrize(("url", "made"), [("", True), (DOOR, False)])
def test_without_a_door_an_address_is_refused_in_words(
    tmp_path: Path, url: str, *, made: bool
) -> None:
    if made:
        read_or_make_secret(tmp_path)
    with pytest.raises(StoreUnavailable, match="door"):
        open_for_reading(Place(dir=tmp_path, url=url)).url("p/x", expires_s=60)


def test_the_secret_is_made_once_and_for_this_user_alone(tmp_path: Path) -> None:
    first = read_or_make_secret(tmp_path / "objects")
    assert read_or_make_secret(tmp_path / "objects") == first
    assert (tmp_path / "objects" / "door.secret").stat().st_mode & 0o777 == 0o600
