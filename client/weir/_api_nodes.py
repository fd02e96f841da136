"""What nodes measured and processes printed, as the api asks for it."""

import logging
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from weir._api_media import media_views
from weir._api_tables import TableKind, check_tables, read_arrow, read_table, read_texts, shown_as
from weir.errors import UsageError
from weir_proto.v1 import query_pb2, runs_pb2

if TYPE_CHECKING:
    from weir._api import Api
    from weir._api_transport import ApiTransport

StreamName = Literal["stdout", "stderr", "logging"]
LevelName = Literal["debug", "info", "warning", "error", "critical"]
MOST_LINES: Final = 100_000
"""Lines of one answer."""
MOST_RUNS: Final = 1_000
"""Runs of one question."""


class NodeViews:
    """The part of a `RunView` that looks at its nodes and processes."""

    _api: "Api"

    def system(
        self,
        metrics: str | Sequence[str] = (),
        *,
        nodes: str | Sequence[str] = (),
        devices: str | Sequence[str] = (),
        max_points: int | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        as_: TableKind = "pandas",
    ) -> Any:
        """Return what its nodes measured: one row per measurement, or per bucket.

        Args:
            metrics: Exact names, e.g. `gpu.utilization`; empty = all.
            nodes: Empty = all.
            devices: `gpu0`, `cpu3` …, "" for a node as a whole; empty = all.
            max_points: At most so many buckets per series, each with its first, last, lowest,
                highest and mean value; `None` reads every measurement, 2 million at most.
            since: From here on.
            until: Up to here, exclusive.
            as_: What to return.

        Returns:
            `metric` `node` `device` `time_unix_us`, then `value`; or `first` `last` `min` `max` `mean`.
        """
        check_tables(as_)
        if max_points is not None and max_points < 1:
            raise UsageError(f"max_points is {max_points}", hint="1 or more, or None for all")
        request = query_pb2.ReadSystemRequest(
            run=self._ref(),
            metrics=_several(metrics),
            nodes=_several(nodes),
            devices=_several(devices),
            max_points=max_points or 0,
            from_unix_us=_unix_us(since),
            to_unix_us=_unix_us(until),
        )
        return read_table(self._api._transport.read_system(request), as_)

    def list_system(self, *, as_: TableKind = "pandas") -> Any:
        """Return what was measured: a row per metric, node and device with extent and last value."""
        check_tables(as_)
        return read_table(self._api._transport.list_system(self._ref()), as_)

    def usage(self, *, as_: TableKind = "pandas") -> Any:
        """Return what it took of its GPUs and other accelerators.

        One row per node and device: `hours` measured, `energy_wh`, `idle_share` (of the time,
        utilization under 5 %), `mean_utilization` (0…100); NaN where it was not measured.
        """
        check_tables(as_)
        return read_table(self._api._transport.read_usage(self._ref()), as_)

    def logs(
        self,
        search: str = "",
        *,
        ranks: int | Sequence[int] | None = None,
        streams: StreamName | Sequence[StreamName] = (),
        level: LevelName | int | None = None,
        tail: int | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        as_: TableKind = "pandas",
    ) -> Any:
        """Return what its processes printed and logged, by time.

        Args:
            search: Words that must all be in a line, any case; letters and digits that stand
                together are one word.
            ranks: `None` = all.
            streams: Empty = all.
            level: Only records of Python's `logging` from this level on.
            tail: The last so many lines; `None` = every line.
            since: From here on.
            until: Up to here, exclusive.
            as_: What to return.

        Returns:
            One row per line: `project` `run_id` `rank` `node` `time_unix_us` `stream` `level`
            `number` (in its process, from 1) `process` `line`.
        """
        check_tables(as_)
        request = lines_request(
            [self._ref()],
            search,
            ranks=ranks,
            streams=streams,
            level=level,
            since=since,
            until=until,
        )
        return shown_as(joined(read_lines(self._api._transport, request, tail)), as_)

    def media(self, name: str, *, limit: int | None = None, as_: TableKind | None = None) -> Any:
        """Return the images, tables, sounds … logged under a name, from the first step on.

        Args:
            name: Exact name.
            limit: At most so many points; None = all.
            as_: None = a list of `MediaView`, one for each value: `step`, `rank`, `caption`, `facts`,
                `read()`, `download(path)`, and `value()` for what was logged. Else a table of the
                points with `rank` `step` `time_unix_us` `value`, JSON that names the bytes
                (docs/formats/media.md).
        """
        check_tables(as_ or "arrow")
        table = read_texts(self._api._transport.read_media, self._ref(), name, limit)
        if as_ is not None:
            return shown_as(table, as_)
        return media_views(self._api, self._ref().project, name, table)

    def _ref(self) -> runs_pb2.RunRef:
        raise NotImplementedError


def lines_request(
    refs: Iterable[runs_pb2.RunRef],
    search: str = "",
    *,
    ranks: int | Sequence[int] | None = None,
    streams: str | Sequence[str] = (),
    level: str | int | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> query_pb2.ReadLinesRequest:
    """Return the question; how many lines, and which of them, is still to be said."""
    return query_pb2.ReadLinesRequest(
        runs=refs,
        search=search,
        ranks=[ranks] if isinstance(ranks, int) else list(ranks or ()),
        streams=_several(streams),
        min_level=level_number(level),
        from_unix_us=_unix_us(since),
        to_unix_us=_unix_us(until),
    )


def read_lines(
    transport: "ApiTransport", request: query_pb2.ReadLinesRequest, tail: int | None
) -> Iterator[Any]:
    """Yield Arrow tables of lines: one with the last `tail`, or all of them page by page."""
    if tail is not None:
        if not 1 <= tail <= MOST_LINES:
            raise UsageError(f"tail is {tail}", hint=f"1 to {MOST_LINES}, or None for all")
        request.limit, request.newest = tail, True
        yield read_arrow(transport.read_lines(request))
        return
    request.limit = MOST_LINES
    while True:
        page = read_arrow(transport.read_lines(request))
        yield page
        if not page.num_rows:
            return
        request.after = page["cursor"][-1].as_py()


def joined(pages: Iterable[Any]) -> Any:
    """Return pages as one Arrow table, without their cursors."""
    import pyarrow as pa

    return pa.concat_tables(pages).drop_columns(["cursor"])


def newest_lines(pages: Iterable[Any], limit: int) -> Any:
    """Return the last lines of several answers as one Arrow table, by time."""
    order = [
        (name, "ascending") for name in ("time_unix_us", "project", "run_id", "rank", "number")
    ]
    table = joined(pages).sort_by(order)
    return table.slice(max(0, table.num_rows - limit))


def level_number(level: str | int | None) -> int:
    """Return a level as Python's `logging` counts it; 0 for none. Raises `UsageError`."""
    if level is None:
        return 0
    if isinstance(level, str):
        if level.lower() not in get_args(LevelName):
            raise UsageError(f"no such level {level!r}", hint=", ".join(get_args(LevelName)))
        return logging.getLevelNamesMapping()[level.upper()]
    if not 0 <= level < 256:
        raise UsageError(f"level is {level}", hint="0 to 255")
    return level


def _several(names: str | Sequence[str]) -> list[str]:
    return [names] if isinstance(names, str) else list(names)


def _unix_us(moment: datetime | None) -> int | None:
    return None if moment is None else round(moment.timestamp() * 1e6)
