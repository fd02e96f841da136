"""The node's NVIDIA cards, through NVML.

    closed ──open──▶ open ──a card or the driver is lost──▶ closed, opened again after a while

Cards are named by their index when they were first seen (`gpu0`, slices of MIG `gpu0/mig1`) and keep
that name while the agent lives, also when another card is lost and the indices move up.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from weir.agent._log import log
from weir.agent._system.nvidia_card import Card
from weir.agent._system.nvidia_facts import card_facts, driver_facts
from weir.agent._system.nvidia_watch import CardWatch, back_notice, lost_notice, xid_notice
from weir.agent._system.nvml import CardLost, Door, NvmlGone, load_nvml
from weir.agent._system.source import Fact, Held, Notice, Sample, Source

_AGAIN_S: Final = 60.0
_LONGEST_AGAIN_S: Final = 600.0
_MOST_EVENTS: Final = 32  # taken at one sampling


class Nvidia(Source):
    """Samples all cards; events when one is slowed down, counts errors, or is lost."""

    accelerator = True

    def __init__(
        self,
        load: Callable[[], Any] = load_nvml,
        *,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._load = load
        self._monotonic_s = monotonic_s
        self._nvml: Any = None
        self._door: Door | None = None
        self._cards: list[Card] = []
        self._names: dict[str, str] = {}  # by uuid, for as long as the agent lives
        self._missing: set[str] = set()  # names of cards that were lost; "" = all of them
        self._events: Any = None
        self._again_s = float("-inf")
        self._pause_s = _AGAIN_S
        self._watch = CardWatch()
        self._held: list[Held] = []
        self._facts: dict[str, Fact] = {}
        self._notices: list[Notice] = []

    def sample(self) -> Iterator[Sample]:
        """Measure every card that answers; nothing where there is no driver."""
        self._held = []
        now_s = self._monotonic_s()
        if now_s >= self._again_s and (self._door is None or self._missing):
            self._reopen(now_s)
        if self._door is None:
            return
        try:
            for card in self._cards:
                yield from self._sample_card(card, now_s)
            self._take_events()
        except NvmlGone as error:
            self._lose("", error, now_s)
            self._close_quietly()

    def held(self) -> Sequence[Held]:
        """Return the memory that processes hold, by card and pid."""
        return self._held

    def facts(self) -> Mapping[str, Fact]:
        """Return driver and cards, as they were when NVML was opened last."""
        return self._facts

    def notices(self) -> Sequence[Notice]:
        """Return what happened to cards."""
        taken, self._notices = self._notices, []
        return taken

    def close(self) -> None:
        """Let go of NVML."""
        self._close_quietly()

    # ── sampling ───────────────────────────────────────────────────────────

    def _sample_card(self, card: Card, now_s: float) -> Iterator[Sample]:
        if card.lost:
            return
        try:
            for sample in card.sample(now_s):
                notice = self._watch.look(sample, now_s)
                if notice is not None:
                    self._notices.append(notice)
                yield sample
            self._held += card.held()
        except CardLost as error:
            card.lost = True
            self._lose(card.name, error, now_s)

    def _take_events(self) -> None:
        """Take the Xid errors that NVML keeps for us. Does not wait."""
        if self._events is None or self._door is None:
            return
        for _ in range(_MOST_EVENTS):
            event = self._door.ask("nvmlEventSetWait_v2", self._events, 0)
            if event is None:  # no more: NVML says timeout
                return
            if event.eventType == self._nvml.nvmlEventTypeXidCriticalError:
                self._notices.append(xid_notice(self._name_of(event.device), int(event.eventData)))

    def _name_of(self, handle: Any) -> str:
        try:
            uuid = Door(self._nvml, handle).ask("nvmlDeviceGetUUID")
        except (CardLost, NvmlGone):  # Xid 79 says just that
            uuid = None
        return self._names.get(uuid, "a GPU")

    # ── opening and losing ─────────────────────────────────────────────────

    def _reopen(self, now_s: float) -> None:
        self._close_quietly()
        self._again_s = now_s + self._pause_s
        self._pause_s = min(2 * self._pause_s, _LONGEST_AGAIN_S)
        self._nvml = self._load()
        if self._nvml is None:
            return
        try:
            self._nvml.nvmlInit()
        except self._nvml.NVMLError as error:
            log.info("no NVIDIA cards", error=str(error))
            return
        self._door = Door(self._nvml)
        try:
            self._cards = list(self._find_cards())
            self._facts = {**dict(driver_facts(self._door)), **dict(card_facts(self._cards))}
            self._listen()
        except (CardLost, NvmlGone) as error:
            log.warning("NVIDIA cards do not answer", error=str(error))
            self._close_quietly()
            return
        self._welcome_back()

    def _find_cards(self) -> Iterator[Card]:
        assert self._door is not None
        for index in range(self._door.ask("nvmlDeviceGetCount") or 0):
            card = self._card(self._door.ask("nvmlDeviceGetHandleByIndex", index), f"gpu{index}")
            if card is not None:
                yield card
                yield from self._find_slices(card)

    def _find_slices(self, card: Card) -> Iterator[Card]:
        mig = card.door.ask("nvmlDeviceGetMigMode")
        if not (mig and mig[0]):
            return
        for index in range(card.door.ask("nvmlDeviceGetMaxMigDeviceCount") or 0):
            handle = card.door.ask("nvmlDeviceGetMigDeviceHandleByIndex", index)
            each = self._card(handle, f"{card.name}/mig{index}", is_slice=True)
            if each is not None:
                yield each

    def _card(self, handle: Any, name: str, *, is_slice: bool = False) -> Card | None:
        """Return a card under the name it always had; None when it does not answer."""
        if handle is None:
            return None
        try:
            uuid = str(Door(self._nvml, handle).ask("nvmlDeviceGetUUID") or name)
        except CardLost:
            return None
        name = self._names.setdefault(uuid, _free_name(name, set(self._names.values())))
        return Card(self._nvml, handle, name, uuid, is_slice=is_slice)

    def _listen(self) -> None:
        """Ask NVML to keep Xid errors for us, of every card that can."""
        assert self._door is not None
        self._events = self._door.ask("nvmlEventSetCreate")
        if self._events is not None:
            for card in self._cards:
                if "/" not in card.name:
                    card.door.ask(
                        "nvmlDeviceRegisterEvents", "nvmlEventTypeXidCriticalError", self._events
                    )

    def _lose(self, name: str, error: Exception, now_s: float) -> None:
        if not self._missing:
            self._pause_s = _AGAIN_S
            self._again_s = now_s + self._pause_s
        if name not in self._missing:
            self._missing.add(name)
            self._notices.append(lost_notice(name, str(error)))

    def _welcome_back(self) -> None:
        here = {card.name for card in self._cards}
        back = {name for name in self._missing if name in here or (not name and here)}
        self._notices += [back_notice(name) for name in sorted(back)]
        self._missing -= back
        if not self._missing:
            self._pause_s = _AGAIN_S

    def _close_quietly(self) -> None:
        if self._door is None:
            return
        door, events = self._door, self._events
        self._door, self._events, self._cards = None, None, []
        for function, arguments in (("nvmlEventSetFree", (events,)), ("nvmlShutdown", ())):
            try:
                if arguments != (None,):
                    door.ask(function, *arguments)
            except (CardLost, NvmlGone):
                pass


def _free_name(name: str, taken: set[str]) -> str:
    """Return `name`, or the first one after it that no other card ever had. Pure."""
    stem = name.rstrip("0123456789")
    index = int(name[len(stem) :])
    while f"{stem}{index}" in taken:
        index += 1
    return f"{stem}{index}"
