"""Reading back what was logged: `weir.Api()`, for notebooks and scripts.

api = weir.Api()
for run in api.runs("vision", where="config.lr < 0.01 AND state = 'finished'"):
    print(run.name, run.summary["val/acc"])
points = api.run("vision/k3j9x2mq7a").history("train/loss", max_points=1_000)
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, Final, Literal, Self

from weir._api_artifacts import ArtifactApi
from weir._api_changes import ChangesApi
from weir._api_cold import ColdApi
from weir._api_ledger import Verification, verification_of
from weir._api_live import LiveApi
from weir._api_nodes import (
    MOST_LINES,
    MOST_RUNS,
    LevelName,
    StreamName,
    lines_request,
    newest_lines,
    read_lines,
)
from weir._api_ranks import RanksApi
from weir._api_rules import RulesApi
from weir._api_run import Axis, RunList, RunView
from weir._api_sql import SqlApi
from weir._api_tables import (
    TableKind,
    check_tables,
    marked,
    read_names,
    read_table,
    shown_as,
    stream_names,
)
from weir._api_transport import ApiTransport
from weir._api_views import ProjectView, project_view
from weir._settings import Settings
from weir.agent._transport import Address
from weir.errors import UsageError
from weir_proto.v1 import query_pb2, runs_pb2

_AXES: Final = {
    "step": query_pb2.X_STEP,
    "time": query_pb2.X_TIME,
    "relative": query_pb2.X_RELATIVE,
}


_METRICS_PAGE: Final = 10_000


class Api(ArtifactApi, SqlApi, LiveApi, RulesApi, RanksApi, ChangesApi, ColdApi):
    """A connection to one server. Nothing is sent before the first question.

    Every question may raise `weir.errors.TransportError`: `Unavailable` when
    asking again may help, `Rejected` when the question is wrong.
    """

    def __init__(
        self, server: str | None = None, token: str | None = None, *, timeout_s: float = 60.0
    ) -> None:
        """Prepare.

        Args:
            server: `host:port`, or `grpcs://host:port`; default as for `weir.init()`.
            token: Says who you are; default as for `weir.init()`.
            timeout_s: Longest wait for an answer, large ones included.
        """
        settings = Settings.load(server=server, token=token)
        self._address = Address(settings.server, settings.token)
        self._transport = ApiTransport(self._address, timeout_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._transport.close()
        self._close_artifacts()

    def projects(self) -> list[ProjectView]:
        """Return the projects you may see, the most recently active first."""
        return [project_view(each) for each in self._transport.list_projects()]

    def runs(
        self,
        project: str = "",
        where: str = "",
        order_by: str = "-created",
        limit: int | None = None,
        columns: Iterable[str] = (),
    ) -> RunList:
        """Return the runs that match, fetched as they are looked at.

        Args:
            project: Empty asks every project you may see.
            where: A filter, docs/filter.md, e.g. `config.lr < 0.01 AND 'base' IN tags`.
            order_by: A field, `-` before it for descending, e.g. `summary.loss`.
            limit: At most so many; `None` = all.
            columns: `config.*` and `summary.*` paths to fetch; empty = all.
        """
        if limit is not None and limit < 0:
            raise UsageError(f"limit is {limit}", hint="0 or more")
        request = runs_pb2.ListRunsRequest(
            project=project, where=where, order_by=order_by, columns=list(columns)
        )
        return RunList(self, request, limit)

    def run(self, path: str) -> RunView:
        """Return one run by `project/run_id`."""
        return RunView(self, self._transport.get_run(_ref_of(path)).run)

    def verify(self, path: str) -> Verification:
        """Ask whether all that was sent for `project/run_id` is stored; see `RunView.verify`."""
        return verification_of(self._transport.get_ledger(_ref_of(path)))

    def read_series(
        self,
        runs: Iterable[RunView | str] | RunView | str,
        metrics: str | Sequence[str],
        *,
        max_points: int | None = None,
        x: Axis | str = "step",
        ranks: Sequence[int] | None = None,
        reduce: Literal["ranks"] | None = None,
        x_min: float | None = None,
        x_max: float | None = None,
        as_: TableKind = "pandas",
    ) -> Any:
        """Read points of several runs and metrics at once.

        Args:
            runs: Runs, or their `project/run_id`; at most 1 000.
            metrics: Exact names, at most 1 000.
            max_points: At most so many buckets per series, each with its first,
                last, lowest and highest value; `None` reads every point.
            x: `step`, `time` (Unix µs), `relative` (µs since the run's first
                point), or the name of a metric, prefixed with `metric:`.
            ranks: Ranks to read; `None` = all.
            reduce: `"ranks"` puts the ranks together to min, mean and max.
            x_min: From here on, in the unit of `x`.
            x_max: Up to here, exclusive.
            as_: What to return: a pandas or polars data frame, or an Arrow table.

        Returns:
            One row per point, or per bucket; columns as in docs/api.md. A table that is thinned says
            so: `frame.attrs["weir"]` in pandas.

        Raises:
            UsageError: The call is wrong, or a metric that has no numbers there holds texts.
        """
        check_tables(as_)
        request = _series_request(runs, metrics, x, ranks, x_min, x_max)
        if reduce not in (None, "ranks"):
            raise UsageError(f"no such reduction {reduce!r}", hint="ranks, or None")
        if max_points is not None and max_points < 1:
            raise UsageError(f"max_points is {max_points}", hint="1 or more, or None for all")
        request.max_points = max_points or 0
        request.reduce = query_pb2.REDUCE_RANKS if reduce else query_pb2.REDUCE_NONE
        table = read_names(self._transport.read_series(request))
        absent = set(request.metrics) - set(table["metric"].unique().to_pylist())
        self._check_numbers(request.runs, absent)
        return shown_as(marked(table, thinned_to=max_points), as_)

    def stream_series(
        self,
        runs: Iterable[RunView | str] | RunView | str,
        metrics: str | Sequence[str],
        *,
        x: Axis | str = "step",
        ranks: Sequence[int] | None = None,
        x_min: float | None = None,
        x_max: float | None = None,
        as_: TableKind = "pandas",
    ) -> Iterator[Any]:
        """Read every point, table by table: memory holds one of them, however many points there are.

        The arguments, the columns and the order are those of `read_series`. There is no limit to
        how long it takes; whoever stops iterating ends it.
        """
        check_tables(as_)
        request = _series_request(runs, metrics, x, ranks, x_min, x_max)
        for table in stream_names(self._transport.stream_series(request)):
            yield shown_as(table, as_)

    def latest(
        self,
        runs: Iterable[RunView | str] | RunView | str,
        metrics: Sequence[str] = (),
        *,
        as_: TableKind = "pandas",
    ) -> Any:
        """Return the newest point of every series, with its lowest and highest value.

        Args:
            runs: Runs, or their `project/run_id`.
            metrics: Exact names; empty = all.
            as_: What to return.
        """
        check_tables(as_)
        request = query_pb2.ReadLatestRequest(runs=_refs_of(runs), metrics=list(metrics))
        return read_table(self._transport.read_latest(request), as_)

    def compare(
        self,
        runs: Iterable[RunView | str],
        *,
        only_different: bool = False,
        as_: TableKind = "pandas",
    ) -> Any:
        """Return config, metadata and summary side by side, one column per run.

        Args:
            runs: Runs, or their `project/run_id`.
            only_different: Leave out what is the same everywhere.
            as_: What to return.
        """
        check_tables(as_)
        request = query_pb2.CompareRunsRequest(runs=_refs_of(runs), only_different=only_different)
        return read_table(self._transport.compare_runs(request), as_)

    def search_logs(
        self,
        runs: Iterable[RunView | str] | RunView | str,
        search: str,
        *,
        ranks: int | Sequence[int] | None = None,
        streams: StreamName | Sequence[StreamName] = (),
        level: LevelName | int | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int = 1_000,
        as_: TableKind = "pandas",
    ) -> Any:
        """Search what the processes of several runs printed; rows as of `RunView.logs`.

        Args:
            runs: A project's name for all of its runs, or runs, or their `project/run_id`.
            search: Words that must all be in a line; see `RunView.logs`.
            ranks: `None` = all.
            streams: Empty = all.
            level: Only records of Python's `logging` from this level on.
            since: From here on.
            until: Up to here, exclusive.
            limit: The newest so many lines, at most 100 000.
            as_: What to return.
        """
        check_tables(as_)
        if not 1 <= limit <= MOST_LINES:
            raise UsageError(f"limit is {limit}", hint=f"1 to {MOST_LINES}")
        refs = _refs_of(self.runs(runs) if isinstance(runs, str) and "/" not in runs else runs)
        pages = [
            page
            for first in range(0, len(refs), MOST_RUNS) or (0,)
            for page in read_lines(
                self._transport,
                lines_request(
                    refs[first : first + MOST_RUNS],
                    search,
                    ranks=ranks,
                    streams=streams,
                    level=level,
                    since=since,
                    until=until,
                ),
                min(limit + 1, MOST_LINES),  # one more tells whether there are more
            )
        ]
        found = sum(page.num_rows for page in pages)
        is_cut = found > limit or found >= MOST_LINES
        return shown_as(marked(newest_lines(pages, limit), cut=is_cut), as_)

    def _check_numbers(self, refs: Sequence[runs_pb2.RunRef], without: set[str]) -> None:
        """Raise `UsageError` when one of the metrics without numbers holds texts."""
        if not without:
            return
        search = next(iter(without)) if len(without) == 1 else ""
        for metric in self._list_metrics(refs, search):
            if metric.is_text and metric.name in without:
                raise UsageError(f"{metric.name} holds texts", hint=f"run.text({metric.name!r})")

    def _list_metrics(
        self, refs: Sequence[runs_pb2.RunRef], search: str
    ) -> Iterator[query_pb2.Metric]:
        after = ""
        while True:
            request = query_pb2.ListMetricsRequest(
                runs=refs, search=search, limit=_METRICS_PAGE, after=after
            )
            page = self._transport.list_metrics(request).metrics
            yield from page
            if len(page) < _METRICS_PAGE:
                return
            after = page[-1].name


def _series_request(
    runs: Iterable[RunView | str] | RunView | str,
    metrics: str | Sequence[str],
    x: Axis | str,
    ranks: Sequence[int] | None,
    x_min: float | None,
    x_max: float | None,
) -> query_pb2.ReadSeriesRequest:
    metric = x.removeprefix("metric:") if x.startswith("metric:") else ""
    if not metric and x not in _AXES:
        raise UsageError(f"no such axis {x!r}", hint="step, time, relative or metric:NAME")
    return query_pb2.ReadSeriesRequest(
        runs=_refs_of(runs),
        metrics=[metrics] if isinstance(metrics, str) else list(metrics),
        x=query_pb2.X_METRIC if metric else _AXES[x],
        x_metric=metric,
        ranks=list(ranks or ()),
        x_min=x_min,
        x_max=x_max,
        encoded=True,
    )


def _refs_of(runs: Iterable[RunView | str] | RunView | str) -> list[runs_pb2.RunRef]:
    each_of = [runs] if isinstance(runs, (RunView, str)) else runs
    return [_ref_of(each if isinstance(each, str) else each.path) for each in each_of]


def _ref_of(path: str) -> runs_pb2.RunRef:
    project, slash, run_id = path.rpartition("/")
    if not (slash and project and run_id):
        raise UsageError(f"{path!r} names no run", hint="write project/run_id")
    return runs_pb2.RunRef(project=project, run_id=run_id)
