"""The gateway's side of the stream, on Redis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from redis import exceptions

from weir_server import fault
from weir_server.settings import StreamSettings
from weir_server.stream import keys
from weir_server.stream.base import TIMES_FREE, AppendResult, NewEntry, Outcome, StopRequest
from weir_server.stream.redis.vendor import (
    Script,
    as_text,
    connect_async,
    translated,
)

PRODUCER_KEPT_S: Final = 14 * 86_400
STOP_KEPT_S: Final = 7 * 86_400
_CONNECTIONS: Final = 8
_APPEND: Final = Script("append")
_RAISE: Final = Script("raise")


class RedisAppender:
    """`Appender` on Redis; belongs to one event loop."""

    def __init__(self, settings: StreamSettings) -> None:
        self._url = settings.url
        self._budget_bytes = settings.max_bytes // settings.shards
        self._redis = connect_async(settings.url, connections=_CONNECTIONS)

    async def append(self, entries: Sequence[NewEntry]) -> list[AppendResult]:
        """See `Appender.append`."""
        calls = [
            (
                (
                    keys.log(e.shard),
                    keys.producer(e.shard, e.producer),
                    keys.payload_bytes(e.shard),
                    keys.project_bytes(e.shard),
                ),
                (
                    *(e.producer, e.seq, self._budget_bytes, PRODUCER_KEPT_S, e.payload),
                    *(e.project, TIMES_FREE, e.first_seq or e.seq),
                ),
            )
            for e in entries
        ]
        answers = await self._call_all(_APPEND, calls)
        return [AppendResult(Outcome(as_text(outcome)), int(last)) for outcome, last in answers]

    async def raise_to(self, shard: int, producer: bytes, seq: int) -> int:
        """See `Appender.raise_to`."""
        call = ((keys.producer(shard, producer),), (seq, PRODUCER_KEPT_S))
        return int((await self._call_all(_RAISE, [call]))[0])

    async def read_accepted(self, shard: int, producer: bytes) -> int | None:
        """See `Appender.read_accepted`."""
        last = await self._execute("HGET", keys.producer(shard, producer), "last")
        return None if last is None else int(last)

    async def read_committed(self, shard: int, producers: Sequence[bytes]) -> dict[bytes, int]:
        """See `Appender.read_committed`."""
        if not producers:
            return {}
        seqs = await self._execute("HMGET", keys.committed(shard), *producers)
        found = zip(producers, seqs, strict=True)
        return {producer: int(seq) for producer, seq in found if seq is not None}

    async def register_run(self, project: str, run_id: str, created_unix_us: int) -> int:
        """See `Appender.register_run`."""
        key = keys.run(project, run_id)
        while True:  # again only when Redis was emptied between the two
            await self._execute("HSETNX", key, "created_unix_us", created_unix_us)
            found = await self._execute("HGET", key, "created_unix_us")
            if found is not None:
                return int(found)

    async def read_registered(self, project: str, run_id: str) -> int | None:
        """See `Appender.read_registered`."""
        created = await self._execute("HGET", keys.run(project, run_id), "created_unix_us")
        return None if created is None else int(created)

    async def request_stop(self, project: str, run_id: str, stop: StopRequest) -> None:
        """See `Appender.request_stop`."""
        key = keys.stop(project, run_id)
        asked = ("asked_unix_us", stop.asked_unix_us)
        await self._execute("HSET", key, "reason", stop.reason, "by", stop.by, *asked)
        await self._execute("EXPIRE", key, STOP_KEPT_S)

    async def read_stops(
        self, runs: Sequence[tuple[str, str]]
    ) -> dict[tuple[str, str], StopRequest]:
        """See `Appender.read_stops`."""
        with translated(self._url):
            async with self._redis.pipeline(transaction=False) as pipe:
                for project, run_id in runs:
                    key = keys.stop(project, run_id)
                    pipe.execute_command("HMGET", key, "reason", "by", "asked_unix_us")
                notes = await pipe.execute() if runs else []
        return {
            run: StopRequest(as_text(reason), as_text(by or b""), int(asked or 0))
            for run, (reason, by, asked) in zip(runs, notes, strict=True)
            if reason is not None
        }

    async def close(self) -> None:
        """See `Appender.close`."""
        with translated(self._url):
            await self._redis.aclose()

    async def _execute(self, *command: str | bytes | int) -> Any:
        with translated(self._url):
            execute: Any = self._redis.execute_command
            return await execute(*command)

    async def _call_all(
        self, script: Script, calls: Sequence[tuple[Sequence[str], Sequence[str | bytes | int]]]
    ) -> list[Any]:
        """Call a script for each (keys, arguments), in order, in one round trip."""
        with translated(self._url):
            answers = await self._pipelined(script, calls)
            # Only a Redis that restarted or failed over lacks the script, and then from some
            # call on for all that follow: these are repeated, the ones before were done.
            forgotten = [
                i for i, said in enumerate(answers) if isinstance(said, exceptions.NoScriptError)
            ]
            if forgotten:
                fault.hit("stream.before_repeat")
                await self._redis.script_load(script.text)
                again = await self._pipelined(script, [calls[i] for i in forgotten])
                for i, answer in zip(forgotten, again, strict=True):
                    answers[i] = answer
            for answer in answers:
                if isinstance(answer, Exception):
                    raise answer
        return answers

    async def _pipelined(
        self, script: Script, calls: Sequence[tuple[Sequence[str], Sequence[str | bytes | int]]]
    ) -> list[Any]:
        async with self._redis.pipeline(transaction=False) as pipe:
            for names, args in calls:
                pipe.execute_command("EVALSHA", script.sha, len(names), *names, *args)
            answers: list[Any] = await pipe.execute(raise_on_error=False)
            return answers
