"""The half of a run that is facts: config, summary, tags, name, notes, how metrics are drawn."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import Any

from weir import _body as body
from weir._config import DELETED, Nested, Summary
from weir._intake import Intake
from weir._names import name_fault
from weir._queue import Queue
from weir._summary import AutomaticSummary, Goal, MetricDefinition, Policy, Reduction
from weir._tags import Tags
from weir._values import Json
from weir.errors import InvalidPoint, UsageError
from weir_proto.v1 import ingest_pb2 as pb


class Facts(ABC):
    """What a run says about itself; every change is queued beside the points.

    `Run` is the other half: it fills in the queue and the intake, and decides what is admitted.
    """

    _intake: Intake
    _queue: Queue

    def __init__(self) -> None:
        self._recording = True
        self._beginning = True  # inside init(), where a mistake is told at once
        self._automatic = AutomaticSummary()
        self._name, self._notes = "", ""
        self._config = Nested(
            lambda path, value: self._record(pb.Attr.CONFIG, path, value), self._refuse
        )
        self._summary = Summary(
            lambda path, value: self._record(pb.Attr.SUMMARY, path, value),
            self._refuse,
            self._automatic_value,
        )
        self._tags = Tags(
            lambda tag, there: self._record(pb.Attr.TAG, tag, there or DELETED), self._refuse
        )

    @property
    @abstractmethod
    def id(self) -> str:
        """The run's id, unique within its project."""

    @abstractmethod
    def _admit(self) -> bool:
        """Whether anything is to be recorded; raises `RunFinished` when the run is."""

    @abstractmethod
    def _settle(self) -> None:
        """Wait (briefly) until the points logged so far are counted in."""

    @property
    def config(self) -> Nested:
        """What the run was asked to do. Every change is recorded."""
        return self._config

    @property
    def summary(self) -> Summary:
        """What the run came to. Values set here win over the automatic ones."""
        return self._summary

    @property
    def tags(self) -> Tags:
        """Words to find the run by."""
        return self._tags

    @tags.setter
    def tags(self, tags: Iterable[str]) -> None:
        if tags is not self._tags:  # `run.tags += …` assigns the same object back
            self._tags.replace(tags)

    @property
    def name(self) -> str:
        """The display name; the id when none was given."""
        return self._name or self.id

    @name.setter
    def name(self, name: str) -> None:
        self._name = name
        self._record(pb.Attr.META, "name", name)

    @property
    def notes(self) -> str:
        """What its people want to remember about the run."""
        return self._notes

    @notes.setter
    def notes(self, notes: str) -> None:
        self._notes = notes
        self._record(pb.Attr.META, "notes", notes)

    def define_metric(
        self,
        glob: str,
        step_metric: str | None = None,
        summary: Policy | None = None,
        goal: Goal | None = None,
        reduce: Reduction | None = None,
    ) -> None:
        """Say how metrics whose names match `glob` are drawn, summarised and put together over ranks.

        Args:
            glob: A name, or a pattern such as `val/*` (`*` also crosses `/`).
            step_metric: Metric to draw them over instead of the step, e.g. `epoch`.
            summary: `last` (the default), `min`, `max`, `mean`, `best` or `none`.
            goal: `minimize` or `maximize`; tells `best` which it is (lowest when not said).
            reduce: How the values of several ranks become one: `mean` (the default), `sum`,
                `max`, `min`, `p99` or `last`.

        Raises:
            UsageError: A word is not one of those above, or the glob is no name.
        """
        if fault := name_fault(glob):
            raise UsageError(f"{glob!r} cannot be defined: {fault}")
        definition = MetricDefinition(glob, step_metric, summary, goal, reduce)
        self._automatic.define(definition)
        self._record(pb.Attr.META, f"metric/{glob}", Json(definition.to_json()))

    def describe(
        self,
        facts: Mapping[str, str],
        tags: Iterable[str],
        config: Mapping[str, Any],
        *,
        record: bool,
    ) -> None:
        """Take what is known at the start. Called once, by init().

        Args:
            facts: META attributes by path; empty ones are left out.
            tags: Words to find the run by.
            config: What the run was asked to do.
            record: Whether this process is the one to tell the server. Not for each of 64 ranks.
        """
        self._name, self._notes = facts.get("name", ""), facts.get("notes", "")
        self._recording = record
        for path, text in facts.items():
            if text:
                self._record(pb.Attr.META, path, text)
        self._tags.update(tags)
        self._config.update(config)
        self._recording, self._beginning = True, False

    def _automatic_value(self, metric: str) -> float | None:
        self._settle()
        return self._automatic.value(metric)

    def _record(self, namespace: pb.Attr.Namespace, path: str, value: Any) -> None:
        if not (self._recording and self._admit()):
            return
        try:
            attr = body.attr(namespace, path, value)
        except InvalidPoint as error:
            self._intake.reject(path, str(error), None)
            return
        with self._intake.lock:
            self._queue.put_attr(attr)

    def _refuse(self, what: Any, why: str) -> None:
        """Treat a key or tag that cannot be recorded as log() treats a name.

        Raises:
            UsageError: In init().
        """
        if self._beginning:
            raise UsageError(f"{what!r} cannot be recorded: {why}")
        if self._admit():
            self._intake.reject(what, why, None)
