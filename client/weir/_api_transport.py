"""gRPC: one channel to one gateway and the calls of the read side. Nothing else of the api imports grpc."""

import io
from collections.abc import Iterable, Iterator
from typing import Any, Final

import grpc  # noqa: TID251 - this is the one file

from weir.agent._status import error_for
from weir.agent._transport import Address
from weir.errors import Rejected, TransportError, Unavailable
from weir_proto.v1 import changes_pb2, export_pb2, live_pb2, query_pb2, ranks_pb2, runs_pb2, sql_pb2
from weir_proto.v1.changes_pb2_grpc import ChangesStub
from weir_proto.v1.cold_pb2_grpc import ColdStub
from weir_proto.v1.export_pb2_grpc import ExportStub
from weir_proto.v1.live_pb2_grpc import LiveStub
from weir_proto.v1.query_pb2_grpc import QueryStub
from weir_proto.v1.ranks_pb2_grpc import RanksStub
from weir_proto.v1.rules_pb2_grpc import RulesStub
from weir_proto.v1.runs_pb2_grpc import RunsStub
from weir_proto.v1.sql_pb2_grpc import SqlStub

_OPTIONS: Final = (
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.max_receive_message_length", 256 << 20),  # a page of runs with large configs
    ("grpc.initial_reconnect_backoff_ms", 200),
)
# The question is wrong, and the server said how: no hint of ours can say more.
_ASKED_WRONGLY: Final = frozenset({"INVALID_ARGUMENT", "NOT_FOUND"})


class ApiTransport:
    """Asks one gateway. Safe from any thread; every call raises `TransportError`."""

    def __init__(self, address: Address, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._metadata = (("authorization", f"Bearer {address.token}"),) if address.token else None
        self._channel = (
            grpc.secure_channel(address.target, grpc.ssl_channel_credentials(), options=_OPTIONS)
            if address.tls
            else grpc.insecure_channel(address.target, options=_OPTIONS)
        )
        self._runs: Any = RunsStub(self._channel)  # type: ignore[no-untyped-call]
        self._query: Any = QueryStub(self._channel)  # type: ignore[no-untyped-call]
        self._rules: Any = RulesStub(self._channel)  # type: ignore[no-untyped-call]
        self._ranks: Any = RanksStub(self._channel)  # type: ignore[no-untyped-call]
        self._changes: Any = ChangesStub(self._channel)  # type: ignore[no-untyped-call]
        self._sql: Any = SqlStub(self._channel)  # type: ignore[no-untyped-call]
        self._live: Any = LiveStub(self._channel)  # type: ignore[no-untyped-call]
        self._cold: Any = ColdStub(self._channel)  # type: ignore[no-untyped-call]
        self._export: Any = ExportStub(self._channel)  # type: ignore[no-untyped-call]

    def list_projects(self) -> list[runs_pb2.Project]:
        """Return the projects we may see."""
        return list(self._ask(self._runs.ListProjects, runs_pb2.ListProjectsRequest()).projects)

    def list_runs(self, request: runs_pb2.ListRunsRequest) -> runs_pb2.ListRunsResponse:
        """Return one page of runs."""
        response: runs_pb2.ListRunsResponse = self._ask(self._runs.ListRuns, request)
        return response

    def get_run(self, ref: runs_pb2.RunRef) -> runs_pb2.GetRunResponse:
        """Return one run and its process lives."""
        request = runs_pb2.GetRunRequest(project=ref.project, run_id=ref.run_id)
        response: runs_pb2.GetRunResponse = self._ask(self._runs.GetRun, request)
        return response

    def update_run(self, request: runs_pb2.UpdateRunRequest) -> runs_pb2.Run:
        """Change a run; return it as it is now."""
        run: runs_pb2.Run = self._ask(self._runs.UpdateRun, request).run
        return run

    def stop_run(self, request: runs_pb2.StopRunRequest) -> None:
        """Ask a run to stop."""
        self._ask(self._runs.StopRun, request)

    def list_events(self, request: runs_pb2.ListEventsRequest) -> runs_pb2.ListEventsResponse:
        """Return the newest events of a run that match."""
        response: runs_pb2.ListEventsResponse = self._ask(self._runs.ListEvents, request)
        return response

    def get_ledger(self, ref: runs_pb2.RunRef) -> runs_pb2.GetLedgerResponse:
        """Return what a run's producers say they sent, beside what is stored."""
        request = runs_pb2.GetLedgerRequest(project=ref.project, run_id=ref.run_id)
        response: runs_pb2.GetLedgerResponse = self._ask(self._runs.GetLedger, request)
        return response

    def list_metrics(self, request: query_pb2.ListMetricsRequest) -> query_pb2.ListMetricsResponse:
        """Return one page of metrics."""
        response: query_pb2.ListMetricsResponse = self._ask(self._query.ListMetrics, request)
        return response

    def read_series(self, request: query_pb2.ReadSeriesRequest) -> io.BufferedIOBase:
        """Return an Arrow IPC stream to read from; errors come out of its `read`."""
        return self._stream(self._query.ReadSeries, request)

    def stream_series(self, request: query_pb2.ReadSeriesRequest) -> io.BufferedIOBase:
        """Return an Arrow IPC stream likewise; it may take as long as it takes."""
        return self._patient_stream(self._query.ReadSeries, request)

    def read_latest(self, request: query_pb2.ReadLatestRequest) -> io.BufferedIOBase:
        """Return an Arrow IPC stream likewise."""
        return self._stream(self._query.ReadLatest, request)

    def compare_runs(self, request: query_pb2.CompareRunsRequest) -> io.BufferedIOBase:
        """Return an Arrow IPC stream likewise."""
        return self._stream(self._query.CompareRuns, request)

    def read_text(self, request: query_pb2.ReadTextRequest) -> io.BufferedIOBase:
        """Return an Arrow IPC stream likewise."""
        return self._stream(self._query.ReadText, request)

    def read_media(self, request: query_pb2.ReadTextRequest) -> io.BufferedIOBase:
        """Return an Arrow IPC stream likewise."""
        return self._stream(self._query.ReadMedia, request)

    def read_system(self, request: query_pb2.ReadSystemRequest) -> io.BufferedIOBase:
        """Return an Arrow IPC stream likewise."""
        return self._stream(self._query.ReadSystem, request)

    def list_system(self, ref: runs_pb2.RunRef) -> io.BufferedIOBase:
        """Return an Arrow IPC stream likewise."""
        return self._stream(self._query.ListSystem, ref)

    def read_usage(self, ref: runs_pb2.RunRef) -> io.BufferedIOBase:
        """Return an Arrow IPC stream likewise."""
        return self._stream(self._query.ReadUsage, ref)

    def read_lines(self, request: query_pb2.ReadLinesRequest) -> io.BufferedIOBase:
        """Return an Arrow IPC stream likewise."""
        return self._stream(self._query.ReadLines, request)

    def reduce(self, request: ranks_pb2.ReduceRequest) -> io.BufferedIOBase:
        """Return an Arrow IPC stream likewise."""
        return self._stream(self._ranks.Reduce, request)

    def list_ranks(self, ref: runs_pb2.RunRef) -> io.BufferedIOBase:
        """Return an Arrow IPC stream likewise."""
        return self._stream(self._ranks.ListRanks, ref)

    def read_stragglers(
        self, request: ranks_pb2.ReadStragglersRequest
    ) -> ranks_pb2.ReadStragglersResponse:
        """Return whom the others wait for."""
        response: ranks_pb2.ReadStragglersResponse = self._ask(self._ranks.ReadStragglers, request)
        return response

    def rank_nodes(self, request: ranks_pb2.RankNodesRequest) -> io.BufferedIOBase:
        """Return an Arrow IPC stream likewise."""
        return self._stream(self._ranks.RankNodes, request)

    def read_divergence(self, request: ranks_pb2.ReadDivergenceRequest) -> io.BufferedIOBase:
        """Return an Arrow IPC stream likewise."""
        return self._stream(self._ranks.ReadDivergence, request)

    def find_hangs(self, request: ranks_pb2.FindHangsRequest) -> ranks_pb2.FindHangsResponse:
        """Return who makes no step."""
        response: ranks_pb2.FindHangsResponse = self._ask(self._ranks.FindHangs, request)
        return response

    def change(self, method: str, request: Any) -> Any:
        """Ask the Changes service to do, or to tell, something."""
        return self._ask(getattr(self._changes, method), request)

    def read_versions(self, request: changes_pb2.ReadVersionsRequest) -> io.BufferedIOBase:
        """Return an Arrow IPC stream to read from; errors come out of its `read`."""
        return self._stream(self._changes.ReadVersions, request)

    def list_views(self) -> sql_pb2.ListViewsResponse:
        """Return what SQL may see."""
        response: sql_pb2.ListViewsResponse = self._ask(
            self._sql.ListViews, sql_pb2.ListViewsRequest()
        )
        return response

    def ask_sql(self, request: sql_pb2.AskRequest) -> "SqlAnswer":
        """Ask one statement. Nothing is waited for here; errors come out of the answer's `read`."""
        call = self._sql.Ask(request, metadata=self._metadata, timeout=self._timeout_s)
        return SqlAnswer(call)

    def subscribe(self, request: live_pb2.SubscribeRequest) -> "LiveUpdates":
        """Begin to look on. Nothing is waited for here; errors come out of the iteration."""
        return LiveUpdates(self._live.Subscribe(request, metadata=self._metadata))

    def list_export_tables(self) -> export_pb2.ListTablesResponse:
        """Return which tables are exported, in the order of writing."""
        request = export_pb2.ListTablesRequest()
        response: export_pb2.ListTablesResponse = self._ask(self._export.ListTables, request)
        return response

    def read_rows(self, request: export_pb2.ReadRowsRequest) -> io.BufferedIOBase:
        """Return an Arrow IPC stream to read from; it may take as long as it takes."""
        return self._patient_stream(self._export.ReadRows, request)

    def meet_runs(self, request: export_pb2.MeetRunsRequest) -> export_pb2.MeetRunsResponse:
        """Return which runs are there already."""
        response: export_pb2.MeetRunsResponse = self._ask(self._export.MeetRuns, request)
        return response

    def meet_versions(
        self, request: export_pb2.MeetVersionsRequest
    ) -> export_pb2.MeetVersionsResponse:
        """Return which versions are there with another content."""
        response: export_pb2.MeetVersionsResponse = self._ask(self._export.MeetVersions, request)
        return response

    def write_rows(self, request: export_pb2.WriteRowsRequest) -> int:
        """Send rows of one table; return how many were taken."""
        return int(self._ask(self._export.WriteRows, request).rows)

    def ask_rules(self, method: str, request: Any) -> Any:
        """Call a method of the service Rules."""
        return self._ask(getattr(self._rules, method), request)

    def ask_cold(self, method: str, request: Any) -> Any:
        """Call a method of the service Cold."""
        return self._ask(getattr(self._cold, method), request)

    def close(self) -> None:
        """Close the channel."""
        self._channel.close()

    def _ask(self, method: Any, request: Any) -> Any:
        try:
            return method(request, metadata=self._metadata, timeout=self._timeout_s)
        except grpc.RpcError as error:
            raise _error_of(error) from error

    def _stream(self, method: Any, request: Any) -> io.BufferedIOBase:
        call = method(request, metadata=self._metadata, timeout=self._timeout_s)
        return io.BufferedReader(_ChunkFile(_received(call)), 1 << 20)

    def _patient_stream(self, method: Any, request: Any) -> io.BufferedIOBase:
        call = method(request, metadata=self._metadata)
        return io.BufferedReader(_ChunkFile(_received(call)), 1 << 20)


def _received(chunks: Iterable[query_pb2.ArrowChunk]) -> Iterator[bytes]:
    try:
        for chunk in chunks:
            yield chunk.data
    except grpc.RpcError as error:
        raise _error_of(error) from error


class LiveUpdates:
    """Updates of one connection, as the server sends them."""

    def __init__(self, call: Any) -> None:
        self._call = call

    def __iter__(self) -> "LiveUpdates":
        return self

    def __next__(self) -> live_pb2.Update:
        """Wait for the next one. Raises `TransportError`."""
        try:
            update: live_pb2.Update = next(self._call)
        except grpc.RpcError as error:
            raise _error_of(error) from error
        return update

    def cancel(self) -> None:
        """Tell the server that nobody looks on any more."""
        self._call.cancel()


class SqlAnswer:
    """The answer to a statement on its way.

    Attributes:
        stream: An Arrow IPC stream to read from; its `read` raises `TransportError`.
        end: What it came to, once the stream has been read to its end.
    """

    def __init__(self, call: Any) -> None:
        self._call = call
        self.end: sql_pb2.AskEnd | None = None
        self.stream = io.BufferedReader(_ChunkFile(self._pieces()), 1 << 20)

    def cancel(self) -> None:
        """Tell the server that nobody waits any more. What has ended, has ended."""
        self._call.cancel()

    def _pieces(self) -> Iterator[bytes]:
        try:
            for reply in self._call:
                if reply.HasField("end"):
                    self.end = reply.end
                else:
                    yield reply.arrow
        except grpc.RpcError as error:
            raise _error_of(error) from error


def _error_of(error: Any) -> TransportError:
    status, details = error.code().name, error.details() or ""
    if status in _ASKED_WRONGLY:
        return Rejected(details, code=status)
    if status == "UNAVAILABLE":
        return Unavailable(details, hint="does Weir run there? the address is WEIR_SERVER")
    return error_for(status, details)


class _ChunkFile(io.RawIOBase):
    """Chunks as they arrive, seen as a file."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._rest = memoryview(chunk)
        size = min(len(buffer), len(self._rest))
        buffer[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size
