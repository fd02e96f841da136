"""Rewinding and forking: where a run goes on from, as the user says it. Pure."""

import re
from dataclasses import dataclass
from typing import Any, Final

from weir._names import MAX_ID_BYTES, name_fault
from weir._rank import Placement
from weir._settings import Settings
from weir._values import MAX_STEP, to_step
from weir.errors import UsageError
from weir_proto.v1 import ingest_pb2 as pb

_POINT: Final = re.compile(r"(?P<run_id>.+)\?_step=(?P<step>[+-]?[0-9]{1,16})", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Branch:
    """A step of a run from which a run goes on.

    Attributes:
        parent_run_id: The run itself: a rewind. Another run of the project: a fork.
        step: The last one that is kept; the run counts on from the next.
        launch: The same for all processes started together; "" when nothing tells.
    """

    parent_run_id: str
    step: int
    launch: str = ""

    def message(self) -> pb.Branch:
        """Return it as the producer's first frame carries it."""
        return pb.Branch(parent_run_id=self.parent_run_id, step=self.step, launch=self.launch)


def fork_point(fork_from: str | None, run_id: str | None, step: Any) -> str | None:
    """Return what `fork_run_id=` and `fork_step=` mean, as `fork_from=` says it.

    Raises:
        UsageError: Only one of the two is given, or `fork_from` as well.
    """
    if run_id is None and step is None:
        return fork_from
    if fork_from is not None:
        raise UsageError("fork_from says already where to fork", hint="leave out fork_run_id")
    if run_id is None or step is None:
        raise UsageError(
            "fork_run_id and fork_step go together", hint="init(fork_run_id=…, fork_step=…)"
        )
    return f"{run_id}?_step={step if (whole := to_step(step)) is None else whole}"


def asked_branch(settings: Settings) -> Branch | None:
    """Return where the settings say that the run goes on from; None when they do not.

    Raises:
        UsageError: They cannot be followed, or contradict each other.
    """
    rewind, fork = settings.resume_from, settings.fork_from
    if not (rewind or fork):
        return None
    name = "resume_from" if rewind else "fork_from"
    if rewind and fork:
        raise UsageError(
            "resume_from and fork_from exclude each other",
            hint="resume_from rewinds a run, fork_from begins another",
        )
    if settings.resume:
        raise UsageError(
            f"{name} and resume={settings.resume!r} exclude each other",
            hint="resume goes on after the last step, resume_from after a step of your choice",
        )
    branch = parse_branch(name, rewind or fork)
    if rewind and settings.run_id not in ("", branch.parent_run_id):
        raise UsageError(
            f"resume_from rewinds run {branch.parent_run_id}, the id is {settings.run_id}",
            hint="leave out the id, or use fork_from to begin another run",
        )
    return branch


def parse_branch(name: str, text: str) -> Branch:
    """Read `RUN_ID?_step=STEP`.

    Raises:
        UsageError: It does not say that. `name` is the setting it came from.
    """
    found = _POINT.fullmatch(text)
    if found is None or abs(step := int(found["step"])) > MAX_STEP:
        raise UsageError(
            f"{name} = {text!r} names no step of a run", hint=f'{name}="RUN_ID?_step=200"'
        )
    if fault := name_fault(found["run_id"], max_bytes=MAX_ID_BYTES):
        raise UsageError(f"{name} = {text!r} names no run: {fault}")
    return Branch(found["run_id"], step)


def check_fork(branch: Branch, run_id: str, placement: Placement, *, id_given: bool) -> None:
    """Check that a fork begins one run, and another one than its parent.

    Raises:
        UsageError: It does not.
    """
    if branch.parent_run_id == run_id:
        raise UsageError(
            f"run {run_id} cannot be a fork of itself", hint="use resume_from to rewind it"
        )
    if placement.joins_blindly and not id_given:
        raise UsageError(
            "every rank would fork to a run of its own: nothing names the job",
            hint="give all ranks the same WEIR_RUN_ID or init(id=…)",
        )


def launch_name(placement: Placement, turn: int) -> str:
    """Return what names a launch for all its processes; "" when nothing does.

    Args:
        placement: Where this process stands in its job.
        turn: How many branches onto the same run this process made before.
    """
    if not placement.job_id:
        return ""
    parts = (placement.launcher, placement.job_id, placement.attempt, turn)
    return "/".join(map(str, parts))
