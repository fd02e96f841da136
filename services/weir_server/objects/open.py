"""Settings → where bytes lie; what is wrong with it is told before the first client comes."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from weir_server.clock import Clock, SystemClock
from weir_server.errors import StartupError
from weir_server.http_door import bind_door
from weir_server.log import get_logger
from weir_server.objects.address import door_url, with_scheme
from weir_server.objects.door_server import DoorServer
from weir_server.settings import GatewaySettings, ObjectsSettings
from weir_server.up.probes import reachable_host
from weir_store.errors import StoreError, WrongCredentials, WrongSetup
from weir_store.objects import opening
from weir_store.objects.base import ObjectStore
from weir_store.objects.local import LocalObjects
from weir_store.objects.opening import Place
from weir_store.objects.s3 import S3Objects
from weir_store.objects.signing import Signer


@dataclass(frozen=True, slots=True)
class Opened:
    """An object store, and the door to it when it is a directory of this machine."""

    objects: ObjectStore
    door: DoorServer | None = None


def open_objects(
    settings: ObjectsSettings, gateway: GatewaySettings, clock: Clock | None = None
) -> Opened:
    """Return what the settings describe.

    Raises:
        StartupError: The directory cannot be written or the port is taken; the bucket is not
            there, the keys are wrong, or the clocks are too far apart.
    """
    if settings.kind == "s3":
        return Opened(_open_s3(settings))
    return _open_local(settings, gateway, clock or SystemClock())


def check_objects(settings: ObjectsSettings) -> str:
    """Look at the same, changing nothing; return what there is, in words.

    Raises:
        StartupError: As `open_objects`.
    """
    if settings.kind == "s3":
        _check_s3(connect_s3(settings), settings, may_wait=False)
        return f"bucket {settings.bucket} at {with_scheme(settings.endpoint, settings)}"
    there = next(
        folder
        for folder in (settings.dir.absolute(), *settings.dir.absolute().parents)
        if folder.exists()
    )
    if not os.access(there, os.W_OK | os.X_OK):
        raise _unwritable(settings.dir, f"{there} cannot be written")
    return f"directory {settings.dir}"


# ── any S3 ─────────────────────────────────────────────────────────────────


def connect_s3(settings: ObjectsSettings) -> S3Objects:
    """Return the bucket of the settings; nothing is sent yet.

    Raises:
        StartupError: The endpoint is not said.
    """
    if not settings.endpoint:
        raise StartupError(
            "objects.kind is s3 and objects.endpoint is empty",
            hint="say where it is, e.g. objects.endpoint = https://s3.example.org",
        )
    return opening.connect_s3(
        Place(
            endpoint=with_scheme(settings.endpoint, settings),
            public_endpoint=with_scheme(settings.public_endpoint, settings),
            access_key=settings.access_key,
            secret_key=settings.secret_key.get_secret_value(),
            bucket=settings.bucket,
            region=settings.region,
            part_bytes=settings.part_bytes,
        )
    )


def _open_s3(settings: ObjectsSettings) -> S3Objects:
    objects = connect_s3(settings)
    _check_s3(objects, settings, may_wait=True)
    return objects


def _check_s3(objects: S3Objects, settings: ObjectsSettings, *, may_wait: bool) -> None:
    """Tell what only a person can put right; a store that is away for now is not that."""
    try:
        if settings.create_bucket and may_wait:
            objects.ensure_bucket()
        objects.check()
    except (WrongCredentials, WrongSetup) as error:
        raise StartupError(str(error)) from error
    except StoreError as error:
        if not may_wait:
            raise StartupError(str(error), hint="is it up at objects.endpoint?") from error
        get_logger().warning("the object store does not answer yet", problem=str(error))


# ── a directory of this machine ────────────────────────────────────────────


def _open_local(settings: ObjectsSettings, gateway: GatewaySettings, clock: Clock) -> Opened:
    try:
        secret = opening.read_or_make_secret(settings.dir)
    except OSError as error:
        raise _unwritable(settings.dir, error.strerror or str(error)) from error
    listener = bind_door(gateway.host, settings.door_port, "objects.door_port")
    url = door_url(settings, gateway, int(listener.getsockname()[1]))
    if not settings.url and reachable_host(gateway.host) != gateway.host:
        get_logger().warning(
            "clients on other machines cannot reach the object directory",
            hint="set objects.url to http://<name of this machine>:<objects.door_port>",
        )
    objects = LocalObjects(
        settings.dir,
        Signer(url, secret),
        unix_s=lambda: clock.unix_us() / 1e6,
        part_bytes=settings.part_bytes,
    )
    return Opened(objects, DoorServer(objects, clock, listener, gateway.tls_cert, gateway.tls_key))


def _unwritable(folder: Path, why: str) -> StartupError:
    return StartupError(
        f"cannot use the object directory {folder}: {why}",
        hint="point objects.dir at a directory this user may write to",
    )
