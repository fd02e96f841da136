from types import SimpleNamespace
from typing import Any

import pytest

from weir._rank import Placement, detect_placement

TORCHRUN = {
    "RANK": "5",
    "LOCAL_RANK": "1",
    "WORLD_SIZE": "8",
    "LOCAL_WORLD_SIZE": "4",
    "GROUP_RANK": "1",
    "MASTER_ADDR": "n0",
    "MASTER_PORT": "29500",
    "TORCHELASTIC_RUN_ID": "job7",
    "TORCHELASTIC_RESTART_COUNT": "2",
}
ONE_NODE = TORCHRUN | {"LOCAL_WORLD_SIZE": "8", "TORCHELASTIC_RUN_ID": "none"}
SRUN = {
    "SLURM_PROCID": "3",
    "SLURM_LOCALID": "1",
    "SLURM_NTASKS": "4",
    "SLURM_STEP_NUM_TASKS": "4",
    "SLURM_NODEID": "1",
    "SLURM_JOB_ID": "99",
    "SLURM_STEP_ID": "0",
    "SLURM_RESTART_COUNT": "1",
}


class NoTrain:
    @staticmethod
    def get_context() -> Any:
        raise RuntimeError("not inside a train worker")


RAY = SimpleNamespace(
    get_context=lambda: SimpleNamespace(
        get_world_rank=lambda: 2,
        get_local_rank=lambda: 1,
        get_world_size=lambda: 4,
        get_node_rank=lambda: 1,
        get_experiment_name=lambda: "exp",
    )
)
TORCH = SimpleNamespace(is_initialized=lambda: True, get_rank=lambda: 2, get_world_size=lambda: 4)
JAX = SimpleNamespace(global_state=SimpleNamespace(client=object(), process_id=3, num_processes=4))
FRESH_JAX = SimpleNamespace(global_state=SimpleNamespace(client=None))

CASES: dict[str, tuple[dict[str, str], dict[str, Any], Placement]] = {
    "alone": ({}, {}, Placement()),
    "weir variables": (
        {"WEIR_RANK": "2", "WEIR_LOCAL_RANK": "1", "WEIR_WORLD_SIZE": "4", "RANK": "9"},
        {},
        Placement(2, 1, 4, 0, "weir"),
    ),
    "torchrun": (TORCHRUN, {}, Placement(5, 1, 8, 1, "torchrun", "job7", 2)),
    "torchrun inside srun": (
        TORCHRUN | SRUN,
        {},
        Placement(5, 1, 8, 1, "torchrun", "job7", 2),
    ),
    "torchrun without a name, one node": (
        ONE_NODE,
        {},
        Placement(5, 1, 8, 1, "torchrun", "node/41@7.00", 2),
    ),
    "torchrun without a name, several nodes": (
        TORCHRUN | {"TORCHELASTIC_RUN_ID": "none"},
        {},
        Placement(5, 1, 8, 1, "torchrun", "", 2),
    ),
    "torchrun without a name, several nodes of a slurm job": (
        TORCHRUN | {"TORCHELASTIC_RUN_ID": "none", "SLURM_JOB_ID": "99"},
        {},
        Placement(5, 1, 8, 1, "torchrun", "99/n0:29500", 2),
    ),
    "variables of torch.distributed set by hand": (
        {"RANK": "1", "WORLD_SIZE": "2", "MASTER_ADDR": "localhost", "MASTER_PORT": "29500"},
        {},
        Placement(1, 0, 2, 0, "torchrun"),
    ),
    "torch.distributed initialised otherwise": (
        {},
        {"torch.distributed": TORCH},
        Placement(2, 0, 4, 0, "torchrun"),
    ),
    "torch.distributed imported only": (
        {},
        {"torch.distributed": SimpleNamespace(is_initialized=lambda: False)},
        Placement(),
    ),
    "open mpi": (
        {
            "OMPI_COMM_WORLD_RANK": "1",
            "OMPI_COMM_WORLD_LOCAL_RANK": "1",
            "OMPI_COMM_WORLD_SIZE": "2",
            "OMPI_COMM_WORLD_NODE_RANK": "0",
            "PMIX_NAMESPACE": "prterun-1",
            "PMIX_RANK": "1",
        },
        {},
        Placement(1, 1, 2, 0, "openmpi", "prterun-1"),
    ),
    "pmix alone": (
        {"PMIX_RANK": "3", "PMIX_NAMESPACE": "ns"},
        {},
        Placement(3, 0, 0, 0, "pmix", "ns"),
    ),
    "mpich": (
        {"PMI_RANK": "1", "PMI_SIZE": "4", "MPI_LOCALRANKID": "1", "SLURM_JOB_ID": "99"},
        {},
        Placement(1, 1, 4, 0, "mpich", "99"),
    ),
    "horovod": (
        {"HOROVOD_RANK": "1", "HOROVOD_LOCAL_RANK": "1", "HOROVOD_SIZE": "2"},
        {},
        Placement(1, 1, 2, 0, "horovod"),
    ),
    "srun": (SRUN, {}, Placement(3, 1, 4, 1, "slurm", "99.0", 1)),
    "a python inside salloc": (
        {"SLURM_PROCID": "0", "SLURM_NTASKS": "4", "SLURM_JOB_ID": "99"},
        {},
        Placement(),
    ),
    "the interactive step of salloc": (
        SRUN | {"SLURM_STEP_ID": str(0xFFFFFFFA), "SLURM_STEP_NUM_TASKS": "1"},
        {},
        Placement(),
    ),
    "an sbatch script": (
        {"SLURM_PROCID": "0", "SLURM_NTASKS": "4", "SLURM_STEP_ID": "batch", "SLURM_JOB_ID": "9"},
        {},
        Placement(),
    ),
    "ray train": (
        {"RAY_JOB_ID": "j"},
        {"ray.train": RAY},
        Placement(2, 1, 4, 1, "ray", "j"),
    ),
    "ray imported only": ({}, {"ray.train": NoTrain}, Placement()),
    "jax distributed": (
        {"SLURM_JOB_ID": "99"},
        {"jax._src.distributed": JAX},
        Placement(3, 0, 4, 0, "jax", "99"),
    ),
    "jax alone": ({}, {"jax._src.distributed": FRESH_JAX}, Placement()),
    "tpu": ({"TPU_WORKER_ID": "2"}, {}, Placement(2, 0, 0, 0, "tpu")),
    "kubernetes indexed job": ({"JOB_COMPLETION_INDEX": "1"}, {}, Placement(1, 0, 0, 0, "k8s")),
    "nonsense": ({"RANK": "x", "WORLD_SIZE": "8", "SLURM_PROCID": "-1"}, {}, Placement()),
}


@pytest.mark.parametrize("case", CASES)
def test_the_launcher_is_believed_where_it_stands_for_a_rank(case: str) -> None:
    environ, modules, wanted = CASES[case]
    assert detect_placement(environ, modules, parent="41@7.00", node="node") == wanted


@pytest.mark.parametrize(
    ("case", "blind"),
    [
        ("torchrun", False),
        ("alone", False),
        ("torchrun without a name, several nodes", True),
        ("kubernetes indexed job", True),
    ],
)
def test_ranks_that_cannot_find_each_other_are_told_apart(case: str, blind: bool) -> None:
    environ, modules, _ = CASES[case]
    assert detect_placement(environ, modules, parent="1@1", node="n").joins_blindly is blind


def test_an_elastic_restart_keeps_the_job_and_raises_the_attempt() -> None:
    first = detect_placement(ONE_NODE | {"TORCHELASTIC_RESTART_COUNT": "0"}, {}, parent="1@1")
    again = detect_placement(ONE_NODE | {"TORCHELASTIC_RESTART_COUNT": "1"}, {}, parent="1@1")
    assert (first.attempt, again.attempt) == (0, 1)
    assert first.job_id == again.job_id != ""
