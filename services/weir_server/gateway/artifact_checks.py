"""Which names, paths, sizes and words of artifacts are good. Pure: raises `InvalidQuery` with what to change."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable
from typing import Final

from weir_proto.v1 import artifacts_pb2
from weir_server.gateway.findings import has_control, is_longer, shown
from weir_server.gateway.limits import MAX_ID_BYTES
from weir_store.artifacts.records import LATEST, ManifestFile
from weir_store.errors import InvalidQuery
from weir_store.objects.base import MAX_PARTS

MAX_BLOBS: Final = 1_000  # of one request
MAX_FILES: Final = 1_000_000  # of one manifest
MAX_PATH_BYTES: Final = 1_024
MAX_NAME_BYTES: Final = 128
MAX_TEXT_BYTES: Final = 65_536
MAX_METADATA_BYTES: Final = 1 << 20
MAX_WORDS: Final = 1_000  # aliases or tags in one edit
MAX_BLOB_BYTES: Final = 5 << 40  # S3's limit
MAX_TTL_S: Final = 100 * 366 * 86_400
_MAX_URI_BYTES: Final = 4_096

_NAME: Final = re.compile(r"[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*")
_WORD: Final = re.compile(r"[A-Za-z0-9_.-]+")
_NUMBER: Final = re.compile(r"v(0|[1-9][0-9]{0,9})")
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_MD5: Final = re.compile(r"[0-9a-f]{32}")
_UPLOAD: Final = re.compile(r"[A-Za-z0-9_-]{8,64}")


def check_project(project: str) -> None:
    """Check a project's name."""
    if not project or has_control(project) or is_longer(project, MAX_ID_BYTES):
        raise InvalidQuery(
            f"project {shown(project)!r} is empty, over {MAX_ID_BYTES} bytes, or holds control characters"
        )


def check_name(name: str, what: str = "artifact name") -> None:
    """Check the name of an artifact or a model."""
    parts = name.split("/")
    if len(name) > MAX_NAME_BYTES or not _NAME.fullmatch(name) or {".", ".."} & set(parts):
        raise InvalidQuery(
            f"{what} {shown(name)!r} is not good",
            hint=f"letters, digits and _.-/ , at most {MAX_NAME_BYTES}, no empty part, no '..'",
        )


def check_type(kind: str) -> None:
    """Check the type of an artifact."""
    if len(kind) > MAX_NAME_BYTES or not _WORD.fullmatch(kind):
        raise InvalidQuery(
            f"artifact type {shown(kind)!r} is not good", hint="one word, e.g. model or dataset"
        )


def check_run_id(run_id: str) -> None:
    """Check a run's id; empty is good."""
    if has_control(run_id) or is_longer(run_id, MAX_ID_BYTES):
        raise InvalidQuery(
            f"run id {shown(run_id)!r} is over {MAX_ID_BYTES} bytes, or holds control characters"
        )


def check_aliases(aliases: Iterable[str]) -> tuple[str, ...]:
    """Return the aliases to set, each once; `latest` sets itself and is left out."""
    wanted = tuple(dict.fromkeys(alias for alias in aliases if alias != LATEST))
    if len(wanted) > MAX_WORDS:
        raise InvalidQuery(f"{len(wanted)} aliases at once", hint=f"at most {MAX_WORDS}")
    for alias in wanted:
        if len(alias) > MAX_NAME_BYTES or not _WORD.fullmatch(alias):
            raise InvalidQuery(
                f"alias {shown(alias)!r} is not good",
                hint=f"letters, digits and _.- , at most {MAX_NAME_BYTES}",
            )
        if number_of(alias) is not None or is_sha256(alias):
            raise InvalidQuery(
                f"alias {alias!r} looks like a version or a digest", hint="choose another word"
            )
    return wanted


def check_tags(tags: Iterable[str]) -> tuple[str, ...]:
    """Return the tags, each once."""
    wanted = tuple(dict.fromkeys(tags))
    if len(wanted) > MAX_WORDS:
        raise InvalidQuery(f"{len(wanted)} tags at once", hint=f"at most {MAX_WORDS}")
    for tag in wanted:
        if not tag.strip() or has_control(tag) or is_longer(tag, MAX_NAME_BYTES):
            raise InvalidQuery(
                f"tag {shown(tag)!r} is empty, over {MAX_NAME_BYTES} bytes, or holds control characters"
            )
    return wanted


def check_text(what: str, text: str, most: int = MAX_TEXT_BYTES) -> None:
    """Check a description or a note."""
    if is_longer(text, most):
        raise InvalidQuery(f"{what} has over {most} bytes", hint="put it into a file")


def check_metadata(text: str) -> str:
    """Return the metadata, `{}` for none."""
    if not text:
        return "{}"
    if is_longer(text, MAX_METADATA_BYTES):
        raise InvalidQuery(
            f"metadata has over {MAX_METADATA_BYTES} bytes", hint="put it into a file"
        )
    try:
        if isinstance(json.loads(text), dict):
            return text
    except (ValueError, RecursionError):
        pass
    raise InvalidQuery("metadata is no JSON object", hint="send {…}")


def check_ttl(ttl_s: int) -> int:
    """Return the lifetime in seconds; 0 = for ever."""
    if ttl_s > MAX_TTL_S:
        raise InvalidQuery(f"a lifetime of {ttl_s} s", hint="at most 100 years; 0 = for ever")
    return ttl_s


def check_upload_id(upload_id: str) -> None:
    """Check the id of a manifest that comes in pieces."""
    if not _UPLOAD.fullmatch(upload_id):
        raise InvalidQuery(
            f"upload id {shown(upload_id)!r} is not good", hint="8 to 64 letters, digits, _ and -"
        )


def number_of(word: str) -> int | None:
    """Return the version a word like `v3` names, None when it names none."""
    found = _NUMBER.fullmatch(word)
    return int(found[1]) if found else None


def is_sha256(text: str) -> bool:
    """Tell whether a text is a SHA-256 in lower-case hex."""
    return _SHA256.fullmatch(text) is not None


def check_blob(blob: artifacts_pb2.Blob) -> None:
    """Check a blob's name and size."""
    if not is_sha256(blob.sha256):
        raise InvalidQuery(f"{shown(blob.sha256)!r} is no SHA-256 in lower-case hex")
    if blob.size_bytes > MAX_BLOB_BYTES:
        raise InvalidQuery(f"a blob of {blob.size_bytes} bytes", hint="at most 5 TiB")


def check_blobs(blobs: Iterable[artifacts_pb2.Blob]) -> None:
    """Check the blobs of one request."""
    blobs = list(blobs)
    if len(blobs) > MAX_BLOBS:
        raise InvalidQuery(f"{len(blobs)} blobs in one request", hint=f"at most {MAX_BLOBS}")
    for blob in blobs:
        check_blob(blob)


def check_etags(etags: Iterable[str]) -> list[str]:
    """Return the MD5s of parts, in lower case."""
    found = [etag.strip('"').lower() for etag in etags]
    if not found or len(found) > MAX_PARTS or not all(map(_MD5.fullmatch, found)):
        raise InvalidQuery("an upload needs the MD5 of every part, in hex, at most 10 000")
    return found


class Paths:
    """The paths of one manifest: good, each once, and no file where a folder is."""

    def __init__(self) -> None:
        self._files: set[str] = set()
        self._folders: set[str] = set()

    def add(self, file: ManifestFile) -> None:
        """Check one file beside those before it."""
        check_path(file.path)
        path = unicodedata.normalize("NFC", file.path)
        if path in self._files:
            raise InvalidQuery(
                f"path {shown(path)!r} is there twice", hint="paths are compared in Unicode NFC"
            )
        self._files.add(path)
        while (cut := path.rfind("/")) > 0:
            path = path[:cut]
            if path in self._folders:
                break
            self._folders.add(path)
        if len(self._files) > MAX_FILES:
            raise InvalidQuery(f"over {MAX_FILES} files in one manifest", hint="make several")

    def close(self) -> None:
        """Check what only the whole manifest tells."""
        both = self._files & self._folders
        if both:
            raise InvalidQuery(f"path {shown(min(both))!r} is a file and a folder")

    def __len__(self) -> int:
        return len(self._files)


def check_path(path: str) -> None:
    """Check one path: relative, inside, and such that every file system can hold it."""
    parts = path.split("/")
    if (
        not path
        or is_longer(path, MAX_PATH_BYTES)
        or has_control(path)
        or any(part in {"", ".", ".."} for part in parts)
    ):
        raise InvalidQuery(
            f"path {shown(path)!r} is not good",
            hint=f"relative, with /, no empty part, no '.' or '..', no control characters, ≤ {MAX_PATH_BYTES} bytes",
        )


def file_of(message: artifacts_pb2.ManifestFile) -> ManifestFile:
    """Return a file as sent, checked but for its path."""
    if bool(message.sha256) == bool(message.uri):
        raise InvalidQuery(
            f"file {shown(message.path)!r} has to have a sha256, or a uri when it is a reference"
        )
    if message.sha256:
        check_blob(artifacts_pb2.Blob(sha256=message.sha256, size_bytes=message.size_bytes))
    words = (message.mime, message.uri, message.etag)
    if any(has_control(word) or is_longer(word, _MAX_URI_BYTES) for word in words):
        raise InvalidQuery(
            f"mime, uri or etag of {shown(message.path)!r} holds control characters, or is too long"
        )
    return ManifestFile(
        message.path, message.sha256, message.size_bytes, message.mime, message.uri, message.etag
    )
