"""What may happen to Weir, in any order: the rules of a hypothesis state machine."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.laws.house import GATEWAY_FAULTS
from tests.laws.node import Sender, Trainer
from tests.laws.streams import Backend
from tests.laws.world import World, law

_ROUNDS = 400  # of healing; far more than are ever needed
_STEPS_PER_ROUND = 60

which = st.integers(0, 3)
few = st.integers(1, 6)


class Laws(RuleBasedStateMachine):
    """Everything that may happen, and at the end: heal, and every frame is stored.

    Attributes:
        off: Layers against doubles that are switched off.
        redis_loses: Whether Redis may be rolled back or flushed.
        restores: Whether ClickHouse may be restored from a backup.
        forgets_tokens: Whether the window of insert tokens may be passed.
    """

    off: ClassVar[Iterable[str]] = ()
    redis_loses: ClassVar[bool] = True
    restores: ClassVar[bool] = True
    forgets_tokens: ClassVar[bool] = True

    def __init__(self) -> None:
        super().__init__()
        self.world = World(self.off, self.backend())
        self.redis_disk: list[Any] = []
        self.backups: list[Any] = []

    def backend(self) -> Backend | None:
        """Return the stream to work on; None = the twin in memory."""
        return None

    @initialize()
    def begin(self) -> None:
        self.world.start_trainer(rank=0)
        self.world.house.start_writer()

    def teardown(self) -> None:
        try:
            if self.world.trainers:
                self.heal()
        finally:
            self.world.close()

    # ── trainers ───────────────────────────────────────────────────────────

    def trainer(self, index: int) -> Trainer:
        return self.world.trainers[index % len(self.world.trainers)]

    @rule(index=which, count=few)
    def log(self, index: int, count: int) -> None:
        trainer = self.trainer(index)
        for _ in range(count if trainer.alive else 0):
            trainer.log()

    @rule(index=which)
    def finish(self, index: int) -> None:
        trainer = self.trainer(index)
        if trainer.alive:
            trainer.log(final=True)

    @rule(index=which, torn=st.binary(max_size=40))
    def vanish(self, index: int, torn: bytes) -> None:
        trainer = self.trainer(index)
        if trainer.alive:
            trainer.die(torn)
            self._take_over(trainer)

    @precondition(lambda self: len(self.world.trainers) < 3)
    @rule(rank=st.integers(0, 1))
    def start_trainer(self, rank: int) -> None:
        self.world.start_trainer(rank)

    def _take_over(self, trainer: Trainer) -> None:
        if not trainer.has_spool:
            return
        trainer.be_taken_over(self.world.clock)
        for sender in self.world.senders:
            if sender.trainer is trainer:
                sender.taken_over()

    # ── senders ────────────────────────────────────────────────────────────

    def sender(self, index: int) -> Sender | None:
        senders = self.world.senders
        return senders[index % len(senders)] if senders else None

    @rule(index=which, gateway=st.integers(0, 1))
    def connect(self, index: int, gateway: int) -> None:
        if sender := self.sender(index):
            self.world.connect(sender, gateway)

    @rule(index=which)
    def speak(self, index: int) -> None:
        if sender := self.sender(index):
            sender.speak()

    @rule(index=which, count=few)
    def carry(self, index: int, count: int) -> None:
        if sender := self.sender(index):
            self.world.carry(sender, count)

    @rule(index=which, count=few)
    def hear(self, index: int, count: int) -> None:
        if sender := self.sender(index):
            sender.hear(count)

    @rule(index=which)
    def settle(self, index: int) -> None:
        if sender := self.sender(index):
            self.world.settle(sender)

    @rule(index=which)
    def talk(self, index: int) -> None:
        """Say, bring and hear everything there is."""
        if sender := self.sender(index):
            self._talk(sender)

    @rule(index=which, seed=st.randoms(use_true_random=False))
    def reorder(self, index: int, seed: Any) -> None:
        """Frames under way come in another order, as over two streams."""
        sender = self.sender(index)
        if sender and all(message.HasField("frame") for message in sender.outbox):
            seed.shuffle(sender.outbox)

    @rule(index=which, count=few)
    def redeliver(self, index: int, count: int) -> None:
        """Frames under way come twice."""
        if sender := self.sender(index):
            frames = [message for message in sender.outbox if message.HasField("frame")]
            sender.outbox += frames[:count]

    @rule(index=which)
    def break_stream(self, index: int) -> None:
        if sender := self.sender(index):
            sender.hang_up()

    @precondition(lambda self: len(self.world.senders) < 5)
    @rule(index=which)
    def sync_beside_the_agent(self, index: int) -> None:
        self.world.start_sender(self.trainer(index))

    @rule(index=which)
    def kill_sender(self, index: int) -> None:
        if self.world.senders:
            self.world.restart_sender(index % len(self.world.senders))

    # ── gateways ───────────────────────────────────────────────────────────

    @rule(index=st.integers(0, 1))
    def gateway_looks(self, index: int) -> None:
        gateway = self.world.house.gateways[index]
        gateway.look()
        for sender in list(self.world.senders):
            if sender.stream is not None and sender.stream.gateway is gateway:
                self.world.gather_news(sender)

    @rule(index=st.integers(0, 1))
    def kill_gateway(self, index: int) -> None:
        self.world.house.restart_gateway(index)

    @rule(index=st.integers(0, 1), point=st.sampled_from(GATEWAY_FAULTS))
    def gateway_will_die(self, index: int, point: str) -> None:
        self.world.house.gateways[index].dies_at = point

    # ── writers ────────────────────────────────────────────────────────────

    @precondition(lambda self: len(self.world.house.writers) < 2)
    @rule()
    def start_writer(self) -> None:
        self.world.house.start_writer()

    @precondition(lambda self: self.world.house.writers)
    @rule(index=which, steps=st.integers(1, 12))
    def step_writer(self, index: int, steps: int) -> None:
        writers = self.world.house.writers
        writers[index % len(writers)].step(steps)

    @precondition(lambda self: self.world.house.writers)
    @rule(index=which)
    def writer_works(self, index: int) -> None:
        writers = self.world.house.writers
        writers[index % len(writers)].turn()

    @precondition(lambda self: self.world.house.writers)
    @rule(index=which)
    def kill_writer(self, index: int) -> None:
        self.world.house.kill_writer(index % len(self.world.house.writers))

    # ── the stream ─────────────────────────────────────────────────────────

    @rule()
    def leases_run_out(self) -> None:
        self.world.house.stream.expire_leases()

    @rule(replies=st.integers(1, 3))
    def lose_replies_to_gateways(self, replies: int) -> None:
        self.world.house.trouble.lose_replies = replies

    @precondition(lambda self: self.world.house.writers)
    @rule(index=which, replies=st.integers(1, 2))
    def lose_replies_to_a_writer(self, index: int, replies: int) -> None:
        writers = self.world.house.writers
        writers[index % len(writers)].lose_replies = replies

    @precondition(lambda self: self.world.house.writers)
    @rule(index=which)
    def a_read_is_repeated_in_silence(self, index: int) -> None:
        writers = self.world.house.writers
        writers[index % len(writers)].repeats = 1

    @rule()
    def stream_goes_or_comes(self) -> None:
        self.world.house.trouble.away = not self.world.house.trouble.away

    @precondition(lambda self: self.redis_loses)
    @rule()
    def stream_reaches_its_disk(self) -> None:
        self.redis_disk.append(self.world.house.stream.snapshot())

    @precondition(lambda self: self.redis_loses and self.redis_disk)
    @rule(index=which)
    def roll_stream_back(self, index: int) -> None:
        self.world.redis_lost = True
        self.world.house.stream.roll_back(self.redis_disk[index % len(self.redis_disk)])

    @precondition(lambda self: self.redis_loses)
    @rule()
    def flush_stream(self) -> None:
        self.world.redis_lost = True
        self.world.house.stream.flush()

    # ── the store ──────────────────────────────────────────────────────────

    @precondition(lambda self: self.forgets_tokens)
    @rule()
    def window_is_forgotten(self) -> None:
        self.world.store.forget_tokens()

    @rule(replies=st.integers(1, 2))
    def lose_replies_of_the_store(self, replies: int) -> None:
        self.world.store.lose_replies = replies

    @rule()
    def store_goes_or_comes(self) -> None:
        self.world.store.away = not self.world.store.away

    @precondition(lambda self: self.restores)
    @rule()
    def back_up_the_store(self) -> None:
        self.backups.append(self.world.store.parts.copy())

    @precondition(lambda self: self.restores and self.backups)
    @rule(index=which)
    def restore_the_store(self, index: int) -> None:
        self.redis_disk.clear()  # a Redis from before the restore is not brought back
        self.world.restore(self.backups[index % len(self.backups)])

    # ── ordinary days ──────────────────────────────────────────────────────

    @rule(count=few)
    def an_ordinary_day(self, count: int) -> None:
        self.ordinary_days(count, 1)

    @rule(count=few, rounds=st.integers(1, 4))
    def ordinary_days(self, count: int, rounds: int) -> None:
        """Everybody works side by side for a while, each a little at a time."""
        house = self.world.house
        for _ in range(rounds):
            for trainer in self.world.trainers:
                for _ in range(count if trainer.alive else 0):
                    trainer.log()
            for sender in list(self.world.senders):
                if sender.stream is None or not sender.stream.gateway.alive:
                    self.world.connect(sender, 0)
                self._talk(sender)
            for writer in house.writers:
                writer.turn()
            self.world.clock.advance(3)
            for gateway in house.gateways:
                gateway.look()
            for sender in list(self.world.senders):
                self.world.gather_news(sender)
                sender.hear(1_000)
                self.world.settle(sender)

    # ── time, and the laws ─────────────────────────────────────────────────

    @rule(seconds=st.sampled_from([1, 10, 40, 700]))
    def wait(self, seconds: int) -> None:
        self.world.clock.advance(seconds)

    @invariant()
    def the_laws_hold(self) -> None:
        self.world.check()

    def _talk(self, sender: Sender) -> None:
        sender.speak()
        self.world.carry(sender, 1_000)
        sender.hear(1_000)

    # ── liveness ───────────────────────────────────────────────────────────

    def heal(self) -> None:
        """Nothing goes wrong any more: everything that can be stored is, without help."""
        house = self.world.house
        house.trouble.away = self.world.store.away = False
        house.trouble.lose_replies = self.world.store.lose_replies = 0
        for gateway in house.gateways:
            gateway.dies_at = ""
        for writer in house.writers:
            writer.lose_replies = writer.repeats = 0
        if not house.writers:
            house.start_writer()
        house.stream.expire_leases()  # those of the dead; the living take theirs anew
        for trainer in self.world.trainers:
            if trainer.alive:
                trainer.log(final=True)
        for _ in range(_ROUNDS):
            if self._all_stored():
                break
            self._heal_a_little()
            self.world.check()
        law(self._all_stored(), "liveness: it never came to an end", self._standing())
        self._check_the_end()

    def _heal_a_little(self) -> None:
        house = self.world.house
        self.world.clock.advance(60)
        for trainer in self.world.trainers:
            if not any(sender.trainer is trainer for sender in self.world.senders):
                self.world.start_sender(trainer)
        for sender in list(self.world.senders):
            if sender.stream is None or not sender.stream.gateway.alive:
                self.world.connect(sender, 0)
            self._talk(sender)
            self._talk(sender)
        for writer in house.writers:
            writer.step(_STEPS_PER_ROUND)
        for gateway in house.gateways:
            gateway.look()
        for sender in list(self.world.senders):
            self.world.gather_news(sender)
            sender.hear(1_000)
            self.world.settle(sender)

    def _all_stored(self) -> bool:
        return not self.world.senders and not any(
            trainer.has_spool for trainer in self.world.trainers
        )

    def _check_the_end(self) -> None:
        found = self.world._read()
        for trainer in self.world.trainers:
            mine, spooled = found[trainer.id], set(range(1, trainer.last_seq + 1))
            unaccounted = spooled - mine.stored - mine.declared
            law(
                trainer.departed or not unaccounted,
                "at the end neither stored nor declared lost",
                unaccounted,
            )
            lost = spooled - mine.stored
            law(lost <= trainer.gone, "lost without a reason", lost)

    def _standing(self) -> object:
        return [
            (t.number, t.last_seq, t.told, [s.producer.conversation for s in self.world.senders])
            for t in self.world.trainers
        ]
