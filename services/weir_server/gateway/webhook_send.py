"""One POST to an address that was checked, over before its time is up, whatever the other side does."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
from collections.abc import Mapping
from typing import Final

from weir_server.gateway.webhook_address import Address

_DEFAULT_PORTS: Final = {"http": 80, "https": 443}


class NoAnswer(OSError):
    """Nobody took it in time, or what came back was no HTTP."""


def post(address: Address, body: bytes, headers: Mapping[str, str], *, within_s: float) -> int:
    """POST to the address that was checked, whatever its name stands for by now; return the status.

    Redirects are not followed, and what is answered is not read.

    Raises:
        NoAnswer: There was none within that time: also from one who answers a byte a second.
    """
    connection = _Connection(address, within_s)
    late = threading.Timer(within_s, connection.break_off)
    late.daemon = True
    late.start()
    try:
        connection.request("POST", address.target, body=body, headers={**headers, **_host(address)})
        return connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        if connection.is_late or isinstance(error, TimeoutError):
            raise NoAnswer(f"no answer within {within_s:g} s") from error
        raise NoAnswer(f"no answer: {error or type(error).__name__}") from error
    finally:
        late.cancel()
        connection.close()


class _Connection(http.client.HTTPConnection):
    """To an IP address, in the name of a host. `break_off` may be called from any thread."""

    def __init__(self, address: Address, within_s: float) -> None:
        super().__init__(address.ip, address.port, timeout=within_s)
        self._address = address
        self.is_late = False

    def connect(self) -> None:
        """Open the socket; TLS is of the host that was asked for."""
        super().connect()
        if self._address.scheme == "https":
            context = ssl.create_default_context()
            self.sock = context.wrap_socket(self.sock, server_hostname=self._address.host)

    def break_off(self) -> None:
        """End whatever is being waited for."""
        self.is_late = True
        if self.sock is not None:
            try:
                self.sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                return


def _host(address: Address) -> dict[str, str]:
    host = f"[{address.host}]" if ":" in address.host else address.host
    own = address.port == _DEFAULT_PORTS[address.scheme]
    return {"Host": host if own else f"{host}:{address.port}"}
