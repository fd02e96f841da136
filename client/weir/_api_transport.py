"""gRPC: one channel to one gateway and the calls of the read side. Nothing else of the api imports grpc."""

import io
from collections.abc import Iterable, Iterator
from typing import Any, Final

import grpc  # noqa: TID251 - this is the one file

from weir.agent._status import error_for
from weir.agent._transport import Address
from weir.errors import Rejected, TransportError, Unavailable
from weir_proto.v1 import query_pb2, runs_pb2
from weir_proto.v1.query_pb2_grpc import QueryStub
from weir_proto.v1.runs_pb2_grpc import RunsStub

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


def _received(chunks: Iterable[query_pb2.ArrowChunk]) -> Iterator[bytes]:
    try:
        for chunk in chunks:
            yield chunk.data
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
