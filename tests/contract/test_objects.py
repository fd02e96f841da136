"""What every object store promises: the local directory behind its door, and a real S3."""

from __future__ import annotations

import hashlib
import io
import secrets
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import pytest

from weir_store.errors import StoreRejected, UnknownObject
from weir_store.objects import etag
from weir_store.objects.base import MIN_PART_BYTES, ObjectStore, Upload
from weir_store.objects.keys import blob_key, is_key, project_prefix


def key_of(content: bytes, project: str = "vision") -> str:
    return blob_key(project, hashlib.sha256(content).hexdigest())


def put(url: str, content: bytes) -> str:
    request = urllib.request.Request(url, data=content, method="PUT")
    with urllib.request.urlopen(request, timeout=30) as answer:
        return etag.plain(answer.headers["ETag"])


def get(url: str, **headers: str) -> bytes:
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=30) as answer:
        return bytes(answer.read())


def status_of(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        return refused.code


def cut(upload: Upload, content: bytes) -> list[bytes]:
    size = upload.part_bytes
    return [content[i * size : (i + 1) * size] for i in range(upload.parts)]


def send(store: ObjectStore, key: str, content: bytes) -> None:
    upload = store.begin(key, len(content))
    tags = [
        put(store.part_url(upload, number, expires_s=60), part)
        for number, part in enumerate(cut(upload, content), 1)
    ]
    store.finish(upload, tags)


@pytest.mark.parametrize("size", [0, 1, 1_000, MIN_PART_BYTES, MIN_PART_BYTES + 1])
def test_bytes_put_to_an_address_are_read_back_whole(objects, size):
    content = secrets.token_bytes(size)
    key = key_of(content)
    send(objects, key, content)
    assert b"".join(objects.read(key)) == content
    assert get(objects.url(key, expires_s=60)) == content


def test_the_answer_to_every_put_is_the_tag_the_client_computes(objects):
    content = secrets.token_bytes(2 * MIN_PART_BYTES + 77)
    key = key_of(content)
    upload = objects.begin(key, len(content))
    parts = cut(upload, content)
    told = [put(objects.part_url(upload, n, expires_s=60), part) for n, part in enumerate(parts, 1)]
    assert told == [etag.of_bytes(part) for part in parts]
    kept = objects.finish(upload, told)
    assert kept.etag == etag.of_parts(told)
    assert kept.size_bytes == len(content)
    assert objects.stat(key) == kept


@pytest.mark.parametrize("others", [0, 1_400])
def test_many_objects_are_known_as_each_of_them_is_however_many_lie_between(objects, others):
    """1 400 others are more than one page of an S3's listing."""
    project = f"many{others}"
    for n in range(others):
        objects.write(key_of(b"other %d" % n, project), io.BytesIO(b"x"), 1)
    contents = [b"wanted %d" % n for n in range(50)]
    for content in contents[::2]:
        objects.write(key_of(content, project), io.BytesIO(content), len(content))
    keys = [key_of(content, project) for content in contents]
    with ThreadPoolExecutor(4) as threads:
        for asked in (keys, keys[:3], []):
            found = objects.stat_many(asked, threads)
            assert found.keys() == {key for key in asked if objects.stat(key) is not None}
            for key, each in found.items():
                told = objects.stat(key)
                assert (each.key, each.etag, each.size_bytes) == (key, told.etag, told.size_bytes)


def test_an_upload_goes_on_from_the_parts_that_have_arrived(objects):
    content = secrets.token_bytes(2 * MIN_PART_BYTES + 5)
    key = key_of(content)
    upload = objects.begin(key, len(content))
    parts = cut(upload, content)
    put(objects.part_url(upload, 2, expires_s=60), parts[1])
    assert objects.list_parts(upload) == {2: etag.of_bytes(parts[1])}
    assert objects.stat(key) is None
    for number in (1, 3):
        put(objects.part_url(upload, number, expires_s=60), parts[number - 1])
    assert objects.finish(upload, [etag.of_bytes(part) for part in parts])
    assert b"".join(objects.read(key)) == content


def test_an_object_with_a_missing_part_never_appears(objects):
    content = secrets.token_bytes(2 * MIN_PART_BYTES)
    key = key_of(content)
    upload = objects.begin(key, len(content))
    first, second = (etag.of_bytes(part) for part in cut(upload, content))
    put(objects.part_url(upload, 1, expires_s=60), content[:MIN_PART_BYTES])
    with pytest.raises(StoreRejected):
        objects.finish(upload, [first, second])
    assert objects.stat(key) is None
    objects.abort(upload)
    objects.abort(upload)


def test_bytes_that_changed_on_the_way_are_not_taken(objects):
    content, other = secrets.token_bytes(999), secrets.token_bytes(999)
    upload = objects.begin(key_of(content), 999)
    put(objects.part_url(upload, 1, expires_s=60), other)
    with pytest.raises(StoreRejected):
        objects.finish(upload, [etag.of_bytes(content)])


def test_finishing_twice_is_harmless(objects):
    content = secrets.token_bytes(MIN_PART_BYTES + 9)
    upload = objects.begin(key_of(content), len(content))
    tags = [
        put(objects.part_url(upload, n, expires_s=60), part)
        for n, part in enumerate(cut(upload, content), 1)
    ]
    assert objects.finish(upload, tags) == objects.finish(upload, tags)


def test_a_range_is_read_alone(objects):
    content = secrets.token_bytes(3_000_000)
    key = key_of(content)
    objects.write(key, io.BytesIO(content), len(content))
    assert b"".join(objects.read(key, first=1_500_000, length=10)) == content[1_500_000:1_500_010]
    assert b"".join(objects.read(key, first=2_999_999)) == content[-1:]
    assert b"".join(objects.read(key, first=5, length=0)) == b""
    url = objects.url(key, expires_s=60)
    assert get(url, Range="bytes=10-19") == content[10:20]


def test_what_is_not_there_is_said_so(objects):
    key = key_of(secrets.token_bytes(8))
    assert objects.stat(key) is None
    with pytest.raises(UnknownObject):
        list(objects.read(key))
    with pytest.raises(urllib.error.HTTPError) as refused:
        get(objects.url(key, expires_s=60))
    assert refused.value.code == 404
    objects.delete([key])


def test_a_write_of_another_length_than_said_is_refused_and_leaves_nothing(objects):
    key = key_of(secrets.token_bytes(8))
    with pytest.raises(StoreRejected):
        objects.write(key, io.BytesIO(b"short"), 100)
    assert objects.stat(key) is None


def test_objects_are_listed_by_key_and_gone_when_deleted(objects):
    contents = [secrets.token_bytes(10) for _ in range(5)]
    keys = sorted(key_of(content, "a project/ü") for content in contents)
    for content in contents:
        objects.write(key_of(content, "a project/ü"), io.BytesIO(content), 10)
    prefix = project_prefix("a project/ü")
    assert [found.key for found in objects.list_objects(prefix)] == keys
    assert {found.size_bytes for found in objects.list_objects(prefix)} == {10}
    objects.delete(keys[:2])
    assert [found.key for found in objects.list_objects(prefix)] == keys[2:]


@pytest.mark.parametrize("change", ["method", "key", "signature", "no signature of ours", "part"])
def test_an_address_is_good_for_nothing_but_what_it_was_made_for(objects, change):
    content = secrets.token_bytes(100)
    key, other = key_of(content), key_of(b"other")
    objects.write(key, io.BytesIO(content), 100)
    url = objects.url(key, expires_s=60)
    if change == "method":
        with pytest.raises(urllib.error.HTTPError) as refused:
            put(url, b"evil")
    else:
        wrong = {
            "key": url.replace(key, other),
            "signature": url[:-4] + ("0000" if url[-4:] != "0000" else "1111"),
            "no signature of ours": url[:-4] + "%C3%A9",
            "part": url + "&partNumber=3&uploadId=x",
        }[change]
        with pytest.raises(urllib.error.HTTPError) as refused:
            get(wrong)
    assert refused.value.code in {400, 403}
    assert b"".join(objects.read(key)) == content


def test_an_expired_address_is_refused(objects):
    content = secrets.token_bytes(10)
    objects.write(key_of(content), io.BytesIO(content), 10)
    url = objects.url(key_of(content), expires_s=2)
    assert get(url) == content
    deadline_s = time.monotonic() + 30
    while (status := status_of(url)) == 200 and time.monotonic() < deadline_s:
        time.sleep(0.2)
    assert status == 403


def test_a_download_is_called_as_asked(objects):
    content = secrets.token_bytes(10)
    objects.write(key_of(content), io.BytesIO(content), 10)
    url = objects.url(key_of(content), expires_s=60, filename='weights "ü".pt')
    with urllib.request.urlopen(url, timeout=30) as answer:
        disposition = answer.headers["Content-Disposition"]
    assert disposition == "attachment; filename*=UTF-8''weights%20%22%C3%BC%22.pt"


@pytest.mark.parametrize(
    "key", ["", "/etc/passwd", "../up", "a/../b", "a//b", "a/./b", "a\nb", "ü", "a/", "x" * 1_025]
)
def test_a_key_that_could_leave_its_place_is_refused(objects, key):
    assert not is_key(key)
    with pytest.raises(StoreRejected):
        objects.begin(key, 10)


def test_projects_with_like_names_share_no_bytes():
    digest = "0" * 64
    names = ["a/b", "a b", "a=2Fb", "A/b", "ab", "ä", "a\u0308"]
    assert len({blob_key(name, digest) for name in names}) == len(names)
    assert all(is_key(blob_key(name, digest)) for name in names)
