"""What Grafana's ClickHouse plugin does to the SQL of a panel, and how its driver sends it.

Macros and requests as of grafana-clickhouse-datasource 4 (pkg/macros) and clickhouse-go 2 (conn_http).
"""

from __future__ import annotations

import base64
import gzip
import http.client
import re
from collections.abc import Callable, Mapping, Sequence
from urllib.parse import urlencode

_MACRO = re.compile(r"\$__(\w+)(?:\(([^()]*)\))?")
_VARIABLE = re.compile(r"\$\{(\w+)(?::(\w+))?\}|\$(\w+)")


def expanded(
    sql: str,
    variables: Mapping[str, Sequence[str]],
    *,
    from_unix_s: int,
    to_unix_s: int,
    interval_s: int = 20,
) -> str:
    """Return the statement that is sent, for the time range and the variables of a dashboard."""
    macros: dict[str, Callable[[str], str]] = {
        "timeFilter": lambda c: (
            f"{c} >= toDateTime({from_unix_s}) AND {c} <= toDateTime({to_unix_s})"
        ),
        "timeFilter_ms": lambda c: (
            f"{c} >= fromUnixTimestamp64Milli({from_unix_s * 1000})"
            f" AND {c} <= fromUnixTimestamp64Milli({to_unix_s * 1000})"
        ),
        "timeInterval": lambda c: (
            f"toStartOfInterval(toDateTime({c}), INTERVAL {interval_s} second)"
        ),
        "fromTime": lambda _: f"toDateTime({from_unix_s})",
        "toTime": lambda _: f"toDateTime({to_unix_s})",
        "interval_s": lambda _: str(interval_s),
    }

    def value(found: re.Match[str]) -> str:
        values = variables[found[1] or found[3]]
        if found[2] == "singlequote":
            return ",".join(f"'{each}'" for each in values)
        return ",".join(values)

    with_macros = _MACRO.sub(lambda found: macros[found[1]](found[2] or ""), sql)
    return _VARIABLE.sub(value, with_macros)


def send(port: int, token: str, database: str, sql: str) -> tuple[int, bytes]:
    """Send a statement as the driver does; return the status and the body, unpacked."""
    asked = {
        "client_protocol_version": "54460",
        "database": database,
        "default_format": "Native",
        "enable_http_compression": "1",
    }
    user = base64.b64encode(f"grafana:{token}".encode()).decode()
    headers = {
        "Authorization": f"Basic {user}",
        "Accept-Encoding": "gzip",
        "User-Agent": "grafana/12 clickhouse-datasource/4 clickhouse-go/2.40.3 (lv:go/1.24; os:linux)",
    }
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("POST", f"/?{urlencode(asked)}", sql.encode(), headers)
        answer = connection.getresponse()
        body = answer.read()
        packed = answer.getheader("Content-Encoding") == "gzip"
        return answer.status, gzip.decompress(body) if packed else body
    finally:
        connection.close()
