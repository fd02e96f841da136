"""A run as the user holds it: `log()`, config, summary, tags, `flush()` and `finish()`."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Literal, Self, get_args

from weir import _body as body
from weir._agent_start import sync_command
from weir._alert import AlertLevel, Alerts, seconds_of, severity_of, texts_of
from weir._exit import (
    FINISHED,
    Ending,
    end_with_child,
    ending_of,
    ending_when_preempted,
    forget,
    masked_reason,
)
from weir._intake import Intake
from weir._last_run import forget_last_run
from weir._media.encoder import Encoder
from weir._media.opening import open_encoder
from weir._opening import Opening
from weir._printed import end_printed, record_printed
from weir._queue import Queue
from weir._run_files import RunFiles
from weir._speak import Speaker, log
from weir._spool import SpoolDir, Welcome
from weir._spooler import Spooler
from weir.errors import RunFinished, UsageError
from weir_proto.v1 import ingest_pb2 as pb

Level = Literal["spooled", "accepted", "committed"]
_LEAST_CLOSE_S: Final = 2.0  # writing the rest to disk is worth this even when told to hurry
_PREEMPT_FLUSH_S: Final = 5.0  # of the grace that a preempted job has, this much at most is ours


@dataclass(frozen=True, slots=True)
class Stats:
    """What became of the points logged in this process.

    Attributes:
        logged: Numbers, texts and media given to `log()`.
        spooled: Of these, on disk.
        dropped: Lost because the disk did not take them and memory was full, or ran out.
        rejected: Refused: neither number, text nor media, or a bad name, step or time.
    """

    logged: int
    spooled: int
    dropped: int
    rejected: int


class Run(RunFiles):
    """One run, recorded from this process. Made by `weir.init()`; safe to use from any thread.

    `log()` costs microseconds: it checks, stamps and queues. A thread writes the spool, the agent
    sends it. Nothing here raises because of disk or network.
    """

    def __init__(self, opening: Opening) -> None:
        super().__init__()
        self._opening = opening
        self._settings = opening.settings
        self._clock = opening.clock
        self._speaker = Speaker()
        self._finished = False
        self._detached = False  # a forked child that has not logged yet
        self._preempting = False
        self._ended_at_exit = False
        self._alerts = Alerts()
        self._queue = self._new_queue()
        self._encoder: Encoder | None = None
        self._intake = Intake(
            self._queue,
            strict=self._settings.strict,
            gate=self._admit_points,
            encoder=self._open_encoder,
        )
        self._spooler: Spooler | None = None

    # ── who and where ─────────────────────────────────────────────────────

    @property
    def id(self) -> str:
        """The run's id, unique within its project."""
        return self._opening.run_id

    @property
    def project(self) -> str:
        """The project the run belongs to."""
        return self._settings.project

    @property
    def rank(self) -> int:
        """Index of this process in the run."""
        return self._opening.placement.rank

    @property
    def world_size(self) -> int:
        """Processes in the run; 0 when unknown."""
        return self._opening.placement.world_size

    @property
    def mode(self) -> str:
        """`online`, `offline` or `disabled`."""
        return self._settings.mode

    @property
    def dir(self) -> str:
        """The run's folder in the spool, for `weir sync`; "" when the run is disabled."""
        return str(self._spooler.spool.run_path) if self._spooler else ""

    @property
    def url(self) -> str | None:
        """The run's page, when the server has told where it is."""
        return (self._spooler.url or None) if self._spooler else None

    @property
    def should_stop(self) -> bool:
        """Whether somebody asked this run to stop; at most two seconds old, costs nothing."""
        return self._spooler is not None and self._spooler.control.stop

    @property
    def preempting(self) -> bool:
        """Whether this process was told that it is about to be taken away."""
        return self._preempting

    @property
    def detached(self) -> bool:
        """Whether this is a forked child that has not logged yet."""
        return self._detached

    @property
    def stats(self) -> Stats:
        """What became of the points logged so far."""
        spooled = self._spooler.spooled if self._spooler else 0
        return Stats(self._intake.logged, spooled, self._queue.dropped, self._intake.rejected)

    # ── logging ───────────────────────────────────────────────────────────

    def log(
        self,
        data: Mapping[str, Any],
        step: int | None = None,
        timestamp: float | datetime | None = None,
        *,
        commit: bool = True,
    ) -> None:
        """Record values at a step.

        Nested mappings are flattened with `/`. Numbers of any library, texts and media
        (`weir.Image`, `weir.Table` …, or a list of them) are taken; what is none is dropped, counted
        and named in one warning per metric (`settings.strict` raises instead). NaN and ±Inf are
        kept. Media are copied here and encoded on another thread. Steps may come in any order; the
        same step again is a correction.

        Args:
            data: Values by metric name.
            step: Progress, −2^53…2^53. None = one more than the highest step logged here before
                (0 at first). A given step moves that count to at least step + 1.
            timestamp: Unix seconds or a datetime; None = now.
            commit: With False and no step, the next call without a step logs at the same one.

        Raises:
            UsageError: `data` is not a mapping.
            RunFinished: The run was finished before.
            InvalidPoint: Only with `settings.strict`.
            QueueFull: Only with `settings.on_full="raise"`: there was no room, nothing was recorded.
        """
        self._intake.log(data, step, timestamp, commit)

    def alert(
        self,
        title: str,
        text: str = "",
        level: AlertLevel | str | None = AlertLevel.INFO,
        wait_duration: float | timedelta | None = 0,
    ) -> None:
        """Say that something happened that somebody should look at.

        It becomes an event of kind `alert`, sent like points; rules of the server, the dashboard and
        `weir rules alerts` show it beside the alerts of rules.

        Args:
            title: In a few words; one line.
            text: The rest, at most 64 KiB.
            level: `INFO`, `WARN` or `ERROR`.
            wait_duration: Seconds (or timedelta) for which further alerts of this title are left out
                in this process.

        Raises:
            UsageError: There is no such level, or title, text or wait_duration are none.
            RunFinished: The run was finished before.
        """
        title, text = texts_of(title, text)
        severity, wait_s = severity_of(level), seconds_of(wait_duration)
        if not self._admit():
            return
        with self._intake.lock:
            told = self._alerts.make(title, text, severity, wait_s, self._clock.unix_us())
            if told is not None:
                self._queue.put_event(told)

    # ── life ──────────────────────────────────────────────────────────────

    def _admit(self) -> bool:
        """Whether anything is to be recorded; gives a forked child its producer.

        Raises:
            RunFinished: The run was finished before.
        """
        if self._settings.mode == "disabled":
            return False
        if self._finished and self._ended_at_exit:
            return False  # a daemon thread that the interpreter is about to end
        if self._finished:
            raise RunFinished(
                f"run {self.id} is finished", hint="call weir.init() to begin another"
            )
        if self._detached:
            self._attach()
        return True

    def _settle(self) -> None:
        if self._spooler and not self._finished:
            self._spooler.flush(1.0)

    def begin(self) -> None:
        """Open the producer and start its thread. Called once, by init()."""
        if self._settings.mode == "disabled":
            return
        self._spooler = self._open_producer(forked=False)
        self._spooler.start()
        self._begin_inputs()
        record_printed(self, self._spooler.spool, self._settings, self._speaker)

    def continue_after(self, step: int) -> None:
        """Count on from `step`: a call of log() without a step takes the next one."""
        self._intake.continue_after(step)

    def await_welcome(self, timeout_s: float) -> Welcome | None:
        """Wait for the server's answer; None when there was none in time. Used by init()."""
        return self._spooler.await_welcome(timeout_s) if self._spooler else None

    def flush(self, level: Level = "spooled", timeout: float | None = None) -> bool:
        """Wait until everything logged so far has come to a place.

        Args:
            level: `spooled` (on disk), `accepted` (by the server) or `committed` (stored).
            timeout: Seconds to wait; None = `settings.finish_timeout_s`.

        Returns:
            Whether it has. An offline run is never accepted; it is not waited for.

        Raises:
            UsageError: There is no such level.
        """
        if level not in get_args(Level):
            raise UsageError(f"no such level {level!r}", hint=", ".join(get_args(Level)))
        if self._spooler is None:
            return True
        limit_s = self._settings.finish_timeout_s if timeout is None else timeout
        deadline_s = time.monotonic() + limit_s
        if not self._finished and not self._flush(self._spooler, deadline_s):
            return False
        if level == "spooled":
            return True
        left_s = deadline_s - time.monotonic() if self.mode == "online" else 0.0
        return self._spooler.wait_for(level, left_s)

    def _flush(self, spooler: Spooler, deadline_s: float) -> bool:
        if self._encoder and not self._encoder.flush(deadline_s - time.monotonic()):
            return False
        return spooler.flush(deadline_s - time.monotonic())

    def mark_preempting(self, reason: str = "") -> None:
        """Say that this process is about to be taken away: by SLURM, a spot market, a person.

        Records an event, and waits (5 s at most) until everything logged so far is on disk.
        Training goes on. A process that now vanishes, or ends with an error, is `interrupted`.
        May be called in a signal handler; the setting `preempt_signal` does that for you.

        Args:
            reason: In a few words, e.g. the signal's name.
        """
        if not self._admit():
            return
        said = f"preempting: {reason}" if reason else "preempting"
        self._preempting = True
        now_unix_us = self._clock.unix_us()
        told = body.event("preempting", said, time_unix_us=now_unix_us, severity="warn")
        with self._intake.lock:
            self._queue.put_event(told)
        if self._spooler is not None:
            self._spooler.note_preempting(said)
        self.flush(timeout=_PREEMPT_FLUSH_S)

    def finish(self, exit_code: int = 0, timeout: float | None = None) -> None:
        """End the run: write the rest, then wait (bounded) until the server has stored it.

        What is not stored in time stays in the spool; the agent goes on sending it after this
        process has ended. A second call does nothing.

        Args:
            exit_code: 0 = finished, anything else = failed.
            timeout: Seconds to wait; None = `settings.finish_timeout_s`.
        """
        state = pb.SessionUpdate.FAILED if exit_code else pb.SessionUpdate.FINISHED
        limit_s = self._settings.finish_timeout_s if timeout is None else timeout
        self.end(Ending(state, exit_code), limit_s)

    def end(self, ending: Ending, timeout_s: float) -> None:
        """Do what finish() does, for an ending of any kind."""
        self._look_at_end()
        with self._intake.lock:
            if self._finished:
                return
            self._finished = True
            self._intake.close()
        forget(self)
        if self._preempting:
            ending = ending_when_preempted(ending)
        if self._spooler is not None:
            try:
                self._close(self._spooler, ending, timeout_s)
            finally:
                end_printed(self)
        if ending == FINISHED and self._settings.resume == "auto":
            forget_last_run(Path(self._settings.dir).absolute(), self.project, self.id)

    def _close(self, spooler: Spooler, ending: Ending, timeout_s: float) -> None:
        deadline_s = time.monotonic() + timeout_s
        final = body.session(
            ending.state,
            time_unix_us=self._clock.unix_us(),
            exit_code=ending.exit_code,
            reason=masked_reason(ending),
        )
        if self._encoder:
            self._encoder.close(max(timeout_s, _LEAST_CLOSE_S))
        try:
            self._await_uploads(deadline_s - time.monotonic())
        except Exception as error:  # noqa: BLE001 - the last frame is worth more than a look at the outbox
            self._speaker.warn("uploads", f"cannot see how far the uploads are: {error!r}")
        deadline_s = max(deadline_s, time.monotonic() + min(timeout_s, _LEAST_CLOSE_S))
        left_s = deadline_s - time.monotonic()
        whole = spooler.close(final, max(left_s, _LEAST_CLOSE_S))
        command = sync_command(self.dir)
        if not whole:
            log.warning("weir: run %s could not be written to disk whole: %s", self.id, self.stats)
        if self.mode == "offline":
            log.info("weir: run %s is in the spool; send it with `%s`", self.id, command)
        elif (
            not spooler.wait_for("committed", deadline_s - time.monotonic())
            and not spooler.warn_if_refused()
        ):
            log.warning(
                "weir: run %s is not stored by the server yet; its points are safe in the spool "
                "and the agent goes on sending. To send them by hand: %s",
                self.id,
                command,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.end(ending_of(error), self._settings.finish_timeout_s)

    def __repr__(self) -> str:
        return f"<weir.Run {self.project}/{self.id} rank {self.rank} {self.mode}>"

    def ended_by_interpreter(self, ending: Ending, *, spent_s: float) -> None:
        """End the run because the interpreter ends: without finish(), and in a hurry.

        Args:
            ending: What is known about why.
            spent_s: How long other runs have held up the exit already.
        """
        if not self._detached:
            self._ended_at_exit = True
            self.end(ending, max(0.0, self._settings.exit_timeout_s - spent_s))

    # ── fork ──────────────────────────────────────────────────────────────

    def detach_in_child(self) -> None:
        """Let go of the parent's thread, files and locks. Called in a forked child, alone there.

        What waits in the queue is the parent's to write. The child gets a producer of its own
        when it first logs; one that never logs costs nothing.
        """
        self._queue = self._new_queue()
        self._intake = self._intake.after_fork(self._queue)
        self._encoder = None  # what waits in it is the parent's too
        self._speaker = Speaker()
        if self._spooler is not None:
            self._spooler.let_go()
        self._spooler = None
        self._preempting = False
        self._let_go_of_inputs()
        self._detached = not self._finished

    def _attach(self) -> None:
        """Open a producer for this forked child."""
        with self._intake.lock:
            if not self._detached:
                return
            self._detached = False
            self._spooler = self._open_producer(forked=True)
            self._spooler.start()
        end_with_child()

    def _open_encoder(self) -> Encoder:
        """Return what encodes the media of this process; it begins with the first."""
        with self._intake.lock:
            if self._encoder is None and self._spooler is not None:
                self._encoder = open_encoder(
                    self._spooler.spool,
                    self._settings,
                    self._queue,
                    self._speaker,
                    self._clock,
                    reject=self._intake.reject_later,
                )
            if self._encoder is None:  # between a fork and its first log(), which attaches first
                raise RunFinished(f"run {self.id} takes no media here")
            return self._encoder

    def _spool_here(self) -> SpoolDir | None:
        return self._spooler.spool if self._spooler else None

    def _new_queue(self) -> Queue:
        return Queue(self._settings.queue_max_bytes, self._settings.on_full)

    def _open_producer(self, *, forked: bool) -> Spooler:
        return self._opening.open(
            self._queue,
            self._speaker,
            self._automatic,
            lambda: self._intake.rejected,
            forked=forked,
        )
