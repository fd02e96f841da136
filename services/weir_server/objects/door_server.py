"""The door to the object directory as a server in the gateway's event loop."""

from __future__ import annotations

import socket
from pathlib import Path

from weir_server.clock import Clock
from weir_server.http_door import HttpDoor
from weir_server.objects.door import Door
from weir_store.objects.local import LocalObjects


class DoorServer(HttpDoor):
    """`start`, then `stop`, once each; belongs to one event loop."""

    def __init__(
        self,
        objects: LocalObjects,
        clock: Clock,
        listener: socket.socket,
        tls_cert: Path | None = None,
        tls_key: Path | None = None,
    ) -> None:
        super().__init__(Door(objects, clock).app(), listener, tls_cert, tls_key)
