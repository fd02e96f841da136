"""Where this process stands in its job, as the launcher tells it. Pure: reads two mappings.

The first launcher that left its traces wins:

    launcher   rank                  the job is named by
    ─────────  ────────────────────  ─────────────────────────────────────────────
    weir       WEIR_RANK             WEIR_RUN_ID (in settings)
    torchrun   RANK                  TORCHELASTIC_RUN_ID, else node + parent, else master
    openmpi    OMPI_COMM_WORLD_RANK  PMIX_NAMESPACE, SLURM_JOB_ID
    horovod    HOROVOD_RANK          SLURM_JOB_ID
    mpich      PMI_RANK              PMI_JOBID, SLURM_JOB_ID
    ray        ray.train context     RAY_JOB_ID
    slurm      SLURM_PROCID          SLURM_JOB_ID.SLURM_STEP_ID
    pmix       PMIX_RANK             PMIX_NAMESPACE
    jax        jax.distributed       SLURM_JOB_ID
    tpu        TPU_WORKER_ID         nothing
    k8s        JOB_COMPLETION_INDEX  nothing

Addresses, ports and job names that the next job may share do not name a job: two jobs merged
into one run are worse than a warning that asks for WEIR_RUN_ID.
"""

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from weir._process import process_started_s

_FIRST_PSEUDO_STEP: Final = 0xFFFF_FF00  # SLURM numbers its batch and interactive shells up here

Environ = Mapping[str, str]
Modules = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a process stands in its job.

    Attributes:
        rank: Index of the process in the job.
        local_rank: Index of the process on its node.
        world_size: Processes in the job; 0 when unknown.
        node_rank: Index of the node in the job.
        launcher: What told us; "" when nothing did.
        job_id: The same for all ranks of a job and across its elastic restarts; "" when the
            launcher does not name the job.
        attempt: Restarts so far.
    """

    rank: int = 0
    local_rank: int = 0
    world_size: int = 0
    node_rank: int = 0
    launcher: str = ""
    job_id: str = ""
    attempt: int = 0

    @property
    def joins_blindly(self) -> bool:
        """Whether several ranks run and nothing names their job: each would make its own run."""
        return (self.world_size > 1 or self.rank > 0) and not self.job_id


def detect_placement(
    environ: Environ, modules: Modules, *, parent: str = "", node: str = ""
) -> Placement:
    """Return where this process stands.

    Args:
        environ: The environment variables.
        modules: `sys.modules`: a framework is asked only when the user has imported it.
        parent: What names the parent process for all its children, e.g. "4711@1700000000.5".
        node: Host name; with `parent` it names a single-node torchrun job.
    """
    for detect in _DETECTORS:
        placement = detect(environ, modules)
        if placement is not None:
            if placement.launcher == "torchrun" and not placement.job_id:
                return _name_torchrun_job(placement, environ, parent, node)
            return placement
    return Placement()


def _weir(environ: Environ, modules: Modules) -> Placement | None:
    if not _is_index(environ.get("WEIR_RANK")):
        return None
    return Placement(
        rank=_int(environ, "WEIR_RANK"),
        local_rank=_int(environ, "WEIR_LOCAL_RANK"),
        world_size=_int(environ, "WEIR_WORLD_SIZE"),
        node_rank=_int(environ, "WEIR_NODE_RANK"),
        launcher="weir",
        job_id=environ.get("WEIR_JOB_ID", ""),
        attempt=_int(environ, "WEIR_ATTEMPT"),
    )


def _torchrun(environ: Environ, modules: Modules) -> Placement | None:
    """Also torch.distributed without torchrun, DeepSpeed and Accelerate: they set the same names."""
    if not (_is_index(environ.get("RANK")) and _is_index(environ.get("WORLD_SIZE"))):
        return _torch_distributed(modules)
    named = environ.get("TORCHELASTIC_RUN_ID", "none")
    return Placement(
        rank=_int(environ, "RANK"),
        local_rank=_int(environ, "LOCAL_RANK"),
        world_size=_int(environ, "WORLD_SIZE"),
        node_rank=_int(environ, "GROUP_RANK", "NODE_RANK"),
        launcher="torchrun",
        job_id="" if named in {"", "none"} else named,
        attempt=_int(environ, "TORCHELASTIC_RESTART_COUNT"),
    )


def _torch_distributed(modules: Modules) -> Placement | None:
    distributed = modules.get("torch.distributed")
    try:
        if distributed is None or not distributed.is_initialized():
            return None
        rank, world_size = distributed.get_rank(), distributed.get_world_size()
    except Exception:  # noqa: BLE001 - another library's code, half initialised perhaps
        return None
    return Placement(rank=rank, world_size=world_size, launcher="torchrun")


def _name_torchrun_job(placement: Placement, environ: Environ, parent: str, node: str) -> Placement:
    """Name a job that torchrun calls "none".

    On one node all ranks have the same parent, the torchrun process, which survives elastic
    restarts. Over several nodes they share only the master's address, which a later job may
    share too; the SLURM job tells them apart.
    """
    one_node = _int(environ, "LOCAL_WORLD_SIZE") == placement.world_size > 0
    master = environ.get("MASTER_ADDR", "")
    slurm_job = environ.get("SLURM_JOB_ID", "")
    if one_node and "TORCHELASTIC_RUN_ID" in environ and parent:
        job_id = f"{node}/{parent}"
    elif master and slurm_job:
        job_id = f"{slurm_job}/{master}:{environ.get('MASTER_PORT', '')}"
    else:
        job_id = ""
    return replace(placement, job_id=job_id)


def _slurm(environ: Environ, modules: Modules) -> Placement | None:
    """Only inside a step of srun: shells of `salloc` and `sbatch` carry SLURM_PROCID=0 too."""
    if not (_is_index(environ.get("SLURM_PROCID")) and _is_index(environ.get("SLURM_STEP_ID"))):
        return None
    if _int(environ, "SLURM_STEP_ID") >= _FIRST_PSEUDO_STEP or not _int(
        environ, "SLURM_STEP_NUM_TASKS"
    ):
        return None
    job = environ.get("SLURM_JOB_ID", environ.get("SLURM_JOBID", ""))
    return Placement(
        rank=_int(environ, "SLURM_PROCID"),
        local_rank=_int(environ, "SLURM_LOCALID"),
        world_size=_int(environ, "SLURM_STEP_NUM_TASKS"),
        node_rank=_int(environ, "SLURM_NODEID"),
        launcher="slurm",
        job_id=f"{job}.{environ['SLURM_STEP_ID']}" if job else "",
        attempt=_int(environ, "SLURM_RESTART_COUNT"),
    )


def _ray(environ: Environ, modules: Modules) -> Placement | None:
    train = modules.get("ray.train")
    try:
        context = None if train is None else train.get_context()
        rank = None if context is None else context.get_world_rank()
        if context is None or rank is None:
            return None
        return Placement(
            rank=rank,
            local_rank=context.get_local_rank(),
            world_size=context.get_world_size(),
            node_rank=context.get_node_rank(),
            launcher="ray",
            job_id=environ.get("RAY_JOB_ID", "") or context.get_experiment_name() or "",
        )
    except Exception:  # noqa: BLE001 - outside a train worker every question raises
        return None


def _jax(environ: Environ, modules: Modules) -> Placement | None:
    """Only a distributed JAX: asking a fresh one would start its backends."""
    state = getattr(modules.get("jax._src.distributed"), "global_state", None)
    if state is None or getattr(state, "client", None) is None:
        return None
    return Placement(
        rank=int(state.process_id),
        world_size=int(getattr(state, "num_processes", 0) or 0),
        launcher="jax",
        job_id=environ.get("SLURM_JOB_ID", ""),
    )


@dataclass(frozen=True, slots=True)
class _Names:
    """The variables of a launcher that says it all in the environment."""

    launcher: str
    rank: str
    local_rank: str = ""
    world_size: tuple[str, ...] = ()
    node_rank: str = ""
    job_id: tuple[str, ...] = ()
    attempt: str = ""

    def __call__(self, environ: Environ, modules: Modules) -> Placement | None:
        if not _is_index(environ.get(self.rank)):
            return None
        return Placement(
            rank=_int(environ, self.rank),
            local_rank=_int(environ, self.local_rank),
            world_size=_int(environ, *self.world_size),
            node_rank=_int(environ, self.node_rank),
            launcher=self.launcher,
            job_id=next((environ[name] for name in self.job_id if environ.get(name)), ""),
            attempt=_int(environ, self.attempt),
        )


_DETECTORS: Final[tuple[Callable[[Environ, Modules], Placement | None], ...]] = (
    _weir,
    _torchrun,
    _Names(
        "openmpi",
        rank="OMPI_COMM_WORLD_RANK",
        local_rank="OMPI_COMM_WORLD_LOCAL_RANK",
        world_size=("OMPI_COMM_WORLD_SIZE",),
        node_rank="OMPI_COMM_WORLD_NODE_RANK",
        job_id=("PMIX_NAMESPACE", "SLURM_JOB_ID"),
    ),
    _Names(
        "horovod",
        rank="HOROVOD_RANK",
        local_rank="HOROVOD_LOCAL_RANK",
        world_size=("HOROVOD_SIZE",),
        node_rank="HOROVOD_CROSS_RANK",
        job_id=("SLURM_JOB_ID",),
    ),
    _Names(
        "mpich",
        rank="PMI_RANK",
        local_rank="MPI_LOCALRANKID",
        world_size=("PMI_SIZE",),
        job_id=("PMI_JOBID", "SLURM_JOB_ID"),
    ),
    _ray,
    _slurm,
    _Names(
        "pmix",
        rank="PMIX_RANK",
        world_size=("PMIX_SIZE",),
        job_id=("PMIX_NAMESPACE",),
    ),
    _jax,
    _Names("tpu", rank="TPU_WORKER_ID"),
    _Names("k8s", rank="JOB_COMPLETION_INDEX"),
)


def _is_index(text: str | None) -> bool:
    return text is not None and text.isascii() and text.isdigit()


def _int(environ: Environ, *names: str) -> int:
    """The first of the variables that holds a count; 0 when none does."""
    return next((int(environ[name]) for name in names if _is_index(environ.get(name))), 0)


def placement_here(node: str) -> Placement:
    """Return where this very process stands."""
    return detect_placement(os.environ, sys.modules, parent=_parent_mark(), node=node)


def _parent_mark() -> str:
    """What names the parent process for all its children: its pid and birth."""
    pid = os.getppid()
    try:
        return f"{pid}@{process_started_s(pid):.2f}"
    except Exception:  # noqa: BLE001 - psutil's errors are its own; no parent, no mark
        return ""
