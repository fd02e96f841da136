"""Hello to Welcome: who are you, where does your run begin, where did we stop?"""

from __future__ import annotations

from importlib.metadata import version
from typing import Final

from weir_proto.v1 import ingest_pb2
from weir_server import fault
from weir_server.clock import Clock
from weir_server.errors import StreamUnavailable
from weir_server.gateway.auth import Principal
from weir_server.gateway.cardinality import MetricSeeds
from weir_server.gateway.history import RunHistory
from weir_server.gateway.judge import entry_of_body
from weir_server.gateway.limits import BODY_SCHEMA, Code
from weir_server.gateway.origin import Refused, check_hello, own_birth_unix_us
from weir_server.gateway.producer import Producer
from weir_server.gateway.tokens import Role
from weir_server.gateway.watermarks import StoredWatermarks
from weir_server.log import get_logger
from weir_server.settings import GatewaySettings
from weir_server.stream.base import Appender, NewEntry, Outcome, shard_of
from weir_store.errors import StoreError, StoreUnavailable
from weir_store.records import RunRef

_NEVER_CAME: Final = "never_received"
_SERVER_VERSION: Final = version("weir")


class Greeter:
    """Answers Hellos; the same for streams and for single requests."""

    def __init__(
        self,
        settings: GatewaySettings,
        shards: int,
        appender: Appender,
        watermarks: StoredWatermarks,
        history: RunHistory,
        clock: Clock,
        seeds: MetricSeeds | None = None,
    ) -> None:
        self._seeds = seeds
        self._settings = settings
        self._shards = shards
        self._appender = appender
        self._watermarks = watermarks
        self._history = history
        self._clock = clock

    async def greet(
        self, hello: ingest_pb2.Hello, principal: Principal
    ) -> tuple[Producer, ingest_pb2.Welcome]:
        """Let a producer in.

        Raises:
            Refused: It is not served here, or not now.
        """
        check_hello(hello)
        try:
            await self._check_access(hello.origin, principal)
            return await self._welcome(hello)
        except (StreamUnavailable, StoreError) as error:
            raise Refused(Code.SERVER_BUSY, str(error), retry=True) from error

    async def _check_access(self, origin: ingest_pb2.Origin, principal: Principal) -> None:
        project = origin.project
        if not principal.may(Role.WRITER, project):
            raise Refused(
                Code.FORBIDDEN, f"token {principal.name!r} may not write to project {project!r}"
            )
        if not self._settings.create_projects and not await self._history.has_project(project):
            raise Refused(
                Code.UNKNOWN_PROJECT,
                f"there is no project {project!r}, and gateway.create_projects is off",
            )

    async def _welcome(self, hello: ingest_pb2.Hello) -> tuple[Producer, ingest_pb2.Welcome]:
        origin = hello.origin
        own_birth = own_birth_unix_us(origin, self._clock.unix_us())
        birth = await self._birth(origin, own_birth)
        producer = Producer(
            origin=origin,
            shard=shard_of(origin.project, origin.run_id, origin.producer, self._shards),
            birth_unix_us=birth,
            accepted=0,
            committed=0,
            greeted_unix_us=self._clock.unix_us(),
        )
        await self._find_place(producer, hello.first_available)
        # A run that this producer began has the producer's own start for its birth.
        existed = birth != own_birth
        last_step = None
        if existed and self._seeds is not None:
            await self._seeds.ensure(*producer.run)
        if existed and producer.accepted == 0:
            last_step = await self._history.last_step(
                RunRef(origin.project, origin.run_id), origin.rank
            )
        producer.told_committed = producer.committed
        return producer, self._message(producer, existed, last_step)

    async def _birth(self, origin: ingest_pb2.Origin, own_birth: int) -> int:
        """Return the run's birth, which all its rows must agree on: it decides their partition."""
        registered = await self._appender.read_registered(origin.project, origin.run_id)
        if registered is not None:
            return registered
        stored = await self._history.birth_unix_us(RunRef(origin.project, origin.run_id))
        return await self._appender.register_run(
            origin.project, origin.run_id, own_birth if stored is None else stored
        )

    async def _find_place(self, producer: Producer, first_available: int) -> None:
        """Learn where the producer stands; note frames that it cannot send any more."""
        committed = await self._committed(producer, first_available)
        # After Redis lost its tail the store can be ahead of it: without raising, frames would be
        # asked for that are safely stored and that the client has forgotten.
        producer.accepted = await self._appender.raise_to(producer.shard, producer.id, committed)
        fault.hit("gateway.after_raise")
        producer.commit_seen(committed)
        if first_available > producer.accepted + 1:
            await self._note_loss(producer, first_available)

    async def _committed(self, producer: Producer, first_available: int) -> int:
        try:
            (stored,) = await self._watermarks.read([producer.id])
        except StoreUnavailable:
            # Redis can go on alone where nothing can be missing: it knows the producer well
            # enough, or the client still has its first frame and sending it all is harmless.
            known = await self._appender.read_accepted(producer.shard, producer.id)
            if first_available > (known or 0) + 1:
                raise
            cached = await self._appender.read_committed(producer.shard, [producer.id])
            return cached.get(producer.id, 0)
        return stored

    async def _note_loss(self, producer: Producer, first_available: int) -> None:
        """Put a Loss into the stream where the missing frames would have been.

        One entry takes the place of all of them: it is there, or it is not, and the client sees
        the last of them committed.
        """
        first, last = producer.accepted + 1, first_available - 1
        message = f"frames {first} to {last} are no longer on the client's disk and never came here"
        loss = ingest_pb2.Loss(reason=_NEVER_CAME, first_seq=first, last_seq=last, message=message)
        body = ingest_pb2.Body(schema=BODY_SCHEMA, losses=[loss])
        payload = entry_of_body(producer, last, body, self._clock.unix_us())
        fault.hit("gateway.before_loss")
        await self._append(
            NewEntry(
                producer.shard, producer.id, last, payload, producer.origin.project, first_seq=first
            )
        )
        fault.hit("gateway.after_loss")
        producer.accepted = last
        get_logger().warning(
            "frames lost", producer=producer.id.hex(), first_seq=first, last_seq=last
        )

    async def _append(self, entry: NewEntry) -> None:
        (result,) = await self._appender.append([entry])
        if result.outcome not in (Outcome.OK, Outcome.DUP):
            raise Refused(
                Code.SERVER_BUSY, f"the stream answers {result.outcome}, come back", retry=True
            )

    def _message(
        self, producer: Producer, existed: bool, last_step: int | None
    ) -> ingest_pb2.Welcome:
        return ingest_pb2.Welcome(
            accepted_seq=producer.accepted,
            committed_seq=producer.committed,
            window_frames=self._settings.window_frames,
            window_bytes=self._settings.window_bytes,
            max_frame_bytes=self._settings.max_frame_bytes,
            server_time_unix_us=self._clock.unix_us(),
            run_existed=existed,
            has_last_step=last_step is not None,
            last_step=last_step or 0,
            server_version=_SERVER_VERSION,
        )
