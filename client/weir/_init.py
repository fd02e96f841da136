"""Opening a run: settings, placement, id, then the producer; the server is asked only to resume."""

import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, Literal

from weir._branch import Branch, asked_branch, check_fork, fork_point, launch_name
from weir._clock import SystemClock
from weir._config_sources import read_config
from weir._exit import at_prompt, end_with_interpreter, open_runs
from weir._last_run import note_last_run, read_last_run
from weir._names import derived_run_id, random_run_id
from weir._opening import Opening
from weir._preempt import watch_for_preemption
from weir._process import host_name, program_name, user_name
from weir._rank import Placement, placement_here
from weir._resume import resume_run
from weir._run import Run
from weir._settings import Settings
from weir._speak import log
from weir.errors import UsageError

Mode = Literal["online", "offline", "disabled"]
Resume = bool | Literal["allow", "must", "never", "auto"]
Reinit = bool | Literal["create_new", "finish_previous", "return_previous"]

_overrides: Final[list[Mapping[str, Any]]] = []  # of weir.testing; the last one counts
_derived_ids: Final[dict[str, int]] = {}  # runs of this process whose id its launcher named
_branches: Final[dict[tuple[str, str], int]] = {}  # branches this process made, by project and run


def init(
    project: str | None = None,
    *,
    name: str | None = None,
    id: str | None = None,
    config: Any = None,
    tags: Iterable[str] | None = None,
    notes: str | None = None,
    group: str | None = None,
    job_type: str | None = None,
    mode: Mode | None = None,
    resume: Resume | None = None,
    resume_from: str | None = None,
    fork_from: str | None = None,
    fork_run_id: str | None = None,
    fork_step: int | None = None,
    dir: str | os.PathLike[str] | None = None,
    settings: Settings | Mapping[str, Any] | None = None,
    rank: int | None = None,
    world_size: int | None = None,
    local_rank: int | None = None,
    node: str | None = None,
    role: str | None = None,
    reinit: Reinit | None = None,
) -> Run:
    """Begin a run, or join one that other ranks have begun.

    Local and quick: it waits for the server only with `resume`. All ranks of a job started by a
    known launcher join one run without further words; otherwise give them the same `id` or
    WEIR_RUN_ID. Of name, notes, tags and config given here, only rank 0's are recorded (unless
    `settings.every_rank_describes`); changes made later are recorded from any rank.

    Args:
        project: Unit of access. None = WEIR_PROJECT, else `default`.
        name: Display name.
        id: The run to log to, unique in the project.
        config: What the run was asked to do: a mapping, dataclass, attrs or pydantic object,
            argparse.Namespace, OmegaConf, absl flags, or the path of a YAML, JSON or TOML file.
        tags: Words to find the run by.
        notes: What its people want to remember.
        group: Runs that belong together.
        job_type: What kind of work, e.g. `train` or `eval`.
        mode: `online`, `offline` (spool only; send later with `weir sync`) or `disabled`.
        resume: `allow`: continue the step count if the run exists. `must`: it has to exist.
            `never`: it must not. `auto` or True: like allow, and without an id take up the last
            run of this spool root that did not finish well. None or False: just log.
        resume_from: `RUN_ID?_step=200`: rewind that run to step 200 and count on from 201. What it
            holds beyond stays in its history and is not shown any more. Asks nobody: works offline.
        fork_from: `RUN_ID?_step=200`: begin another run that has that one's points up to step 200
            and its config, without copying them, and count on from 201.
        fork_run_id: With `fork_step`, another way to say `fork_from`.
        fork_step: The last step taken from `fork_run_id`.
        dir: Spool root. None = WEIR_DIR, else `./.weir`.
        settings: A `Settings` to use as it is, or a mapping of settings to override.
        rank: Index of this process in the run; with `world_size` and `local_rank` it overrules
            what the launcher says.
        world_size: Processes in the run.
        local_rank: Index of this process on its node.
        node: Name of this node. None = the host name.
        role: What this process does in the run, e.g. `evaluator`.
        reinit: With a run already open in this process: True or `finish_previous` finishes it
            first, False or `return_previous` returns it, `create_new` opens another beside it.
            None = `create_new`; at a prompt or in a notebook, where a cell that is run again means
            another try, `finish_previous`.

    Returns:
        The run. It is also `weir.run` until it is finished.

    Raises:
        ConfigError: The settings cannot be used; lists every fault.
        UsageError: `resume` asks for what is not there, or `resume_from` or `fork_from` cannot be
            followed.
    """
    if (previous := _treat_previous(reinit)) is not None:
        return previous
    resolved = _settings(
        settings,
        project=project,
        name=name,
        run_id=id,
        tags=None if tags is None else _words(tags),
        notes=notes,
        group=group,
        job_type=job_type,
        mode=mode,
        resume=_resume_word(resume),
        resume_from=resume_from,
        fork_from=fork_point(fork_from, fork_run_id, fork_step),
        dir=None if dir is None else os.fspath(dir),
        node=node,
        role=role,
    )
    if resolved.resume == "must" and not resolved.run_id and resolved.mode != "disabled":
        raise UsageError("resume='must' needs the id of a run", hint="init(id=…) or WEIR_RUN_ID")
    opening = _open(resolved, rank=rank, world_size=world_size, local_rank=local_rank)
    run = Run(opening)
    if opening.branch is not None:
        run.continue_after(opening.branch.step)
    _describe(run, opening, config)
    run.begin()
    end_with_interpreter(run)
    if resolved.mode != "disabled":
        watch_for_preemption(resolved.preempt_signal)
    if resolved.resume and resolved.mode != "disabled":
        resume_run(run, resolved, opening.placement)
    if resolved.resume == "auto" and resolved.mode != "disabled":
        note_last_run(Path(resolved.dir).absolute(), run.project, run.id)
    return run


@contextmanager
def overriding(settings: Mapping[str, Any]) -> Iterator[None]:
    """Force settings on every init() inside, whatever it is told; for `weir.testing`."""
    _overrides.append(settings)
    try:
        yield
    finally:
        _overrides.remove(settings)


def current_run() -> Run | None:
    """Return the run opened last of those not finished."""
    runs = open_runs()
    return runs[-1] if runs else None


def _treat_previous(reinit: Reinit | None) -> Run | None:
    if reinit not in {None, True, False, "create_new", "finish_previous", "return_previous"}:
        raise UsageError(
            f"no such reinit {reinit!r}", hint="create_new, finish_previous or return_previous"
        )
    if reinit is None and at_prompt():
        reinit = "finish_previous"
    previous = current_run()
    if previous is None or reinit is None or reinit == "create_new":
        return None
    if reinit is True or reinit == "finish_previous":
        previous.finish()
        return None
    return previous


def _words(tags: Iterable[str]) -> tuple[str, ...]:
    return (tags,) if isinstance(tags, str) else tuple(tags)


def _resume_word(resume: Resume | None) -> str | None:
    if resume is None or resume is False:
        return None
    return "auto" if resume is True else resume


def _settings(given: Settings | Mapping[str, Any] | None, **arguments: Any) -> Settings:
    """Arguments over the given settings; a mapping joins the arguments, a Settings is the base."""
    forced = _overrides[-1] if _overrides else {}
    arguments = {key: value for key, value in arguments.items() if value is not None}
    if not isinstance(given, Settings):
        return Settings.load(**{**(given or {}), **arguments, **forced})
    changes = {**arguments, **forced}
    base = {key: getattr(given, key) for key, _, _ in given.describe()}
    return Settings.resolve({**base, **changes}, {})


def _open(
    settings: Settings, *, rank: int | None, world_size: int | None, local_rank: int | None
) -> Opening:
    node = settings.node or host_name()
    branch = asked_branch(settings)
    placement = placement_here(node)
    given = {"rank": rank, "world_size": world_size, "local_rank": local_rank}
    told = {key: _count(key, value) for key, value in given.items() if value is not None}
    if told:
        placement = replace(placement, **told)  # type: ignore[arg-type]
    given_id = settings.run_id or (branch.parent_run_id if branch and settings.resume_from else "")
    run_id = (
        given_id
        or _job_run_id(settings.project, placement)
        or _unfinished_run_id(settings)
        or random_run_id()
    )
    if branch and settings.fork_from and settings.mode != "disabled":
        check_fork(branch, run_id, placement, id_given=bool(given_id))
    elif placement.joins_blindly and not given_id and settings.mode != "disabled":
        log.warning(
            "weir: rank %d cannot tell which run the other ranks are in, so it logs to its own "
            "(%s); give all ranks the same WEIR_RUN_ID or init(id=…)",
            placement.rank,
            run_id,
        )
    branch = _launched(branch, settings.project, run_id, placement)
    return Opening(settings, placement, run_id, node, SystemClock(), branch)


def _launched(
    branch: Branch | None, project: str, run_id: str, placement: Placement
) -> Branch | None:
    """The branch with its launch: the n-th branch of each rank is the n-th of all."""
    if branch is None:
        return None
    turn = _branches.get((project, run_id), 0)
    _branches[project, run_id] = turn + 1
    return replace(branch, launch=launch_name(placement, turn))


def _count(name: str, value: Any) -> int:
    if isinstance(value, bool) or not hasattr(type(value), "__index__") or value.__index__() < 0:
        raise UsageError(f"{name} must be a count, not {value!r}")
    return int(value.__index__())


def _job_run_id(project: str, placement: Placement) -> str:
    """The id that all ranks of a job come to; the n-th run of each rank is the n-th of all."""
    if not placement.job_id:
        return ""
    turn = _derived_ids.get(project, 0)
    _derived_ids[project] = turn + 1
    again = (str(turn),) if turn else ()
    return derived_run_id(project, placement.launcher, placement.job_id, *again)


def _unfinished_run_id(settings: Settings) -> str:
    if settings.resume != "auto":
        return ""
    return read_last_run(Path(settings.dir).absolute(), settings.project)


def _describe(run: Run, opening: Opening, config: Any) -> None:
    """Put what is known at the start into the run's first frame."""
    settings = opening.settings
    section = read_config(config) if config is not None else {}
    facts = {
        "name": settings.name,
        "group": settings.group,
        "job_type": settings.job_type,
        "notes": settings.notes,
        "user": user_name(),
        "host": opening.node,
        "program": program_name(),
        "python": sys.version.split()[0],
    }
    tells = opening.placement.rank == 0 or settings.every_rank_describes
    run.describe(facts, settings.tags, section, record=tells)
