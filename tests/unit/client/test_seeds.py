"""Random seeds: what can be known of them is recorded, at the start and when it changes."""

import os
import random
import subprocess
import sys
import types
from typing import Any

import numpy as np
import pytest

import weir
from weir import _seeds
from weir._seeds import seed_everything, seed_facts
from weir._surroundings import library_facts, seeds_in
from weir.errors import UsageError
from weir.testing import capture


@pytest.fixture(autouse=True)
def seeds_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEIR_RECORD_SEEDS", "1")
    monkeypatch.setattr(_seeds, "_given", [])
    monkeypatch.setenv("PYTHONHASHSEED", "0")


def facts() -> dict[str, Any]:
    return seed_facts(sys.modules, os.environ)


def test_seed_everything_seeds_what_is_loaded_and_says_so() -> None:
    assert seed_everything(7) == 7
    drawn = random.random(), float(np.random.random())
    seed_everything(7)
    assert (random.random(), float(np.random.random())) == drawn
    assert os.environ["PYTHONHASHSEED"] == "7"
    assert facts()["seed/given"] == 7


@pytest.mark.parametrize("seed", [-1, 1 << 32, 1.5, "7", True, None])
def test_what_is_no_seed_is_refused(seed: Any) -> None:
    with pytest.raises(UsageError):
        seed_everything(seed)


def test_a_generator_that_was_just_seeded_tells_its_seed() -> None:
    random.seed(42)
    np.random.seed(123_456)
    found = facts()
    assert found["seed/python/seed"] == 42
    assert found["seed/numpy/seed"] == 123_456
    random.random()
    np.random.random()
    found = facts()
    assert "seed/python/seed" not in found
    assert "seed/numpy/seed" not in found


def test_a_seed_of_the_config_is_tried_on_python() -> None:
    random.seed(987_654)
    assert "seed/python/seed" not in facts()
    found = seed_facts(sys.modules, os.environ, seeds_in({"train": {"seed": 987_654}}))
    assert found["seed/python/seed"] == 987_654


def test_equal_states_have_equal_digests_and_others_have_not() -> None:
    random.seed(1)
    np.random.seed(1)
    first = facts()
    random.random()
    np.random.random()
    second = facts()
    random.seed(1)
    np.random.seed(1)
    third = facts()
    for path in ("seed/python/state", "seed/numpy/state"):
        assert first[path] == third[path] != second[path]


def test_asking_draws_nothing() -> None:
    random.seed(5)
    np.random.seed(5)
    expected = random.random(), float(np.random.random())
    random.seed(5)
    np.random.seed(5)
    facts()
    assert (random.random(), float(np.random.random())) == expected


class _Torch(types.ModuleType):
    """What we call of torch."""

    __version__ = "2.9.0"

    def __init__(self) -> None:
        super().__init__("torch")
        self.seed_now = 11
        self.version = types.SimpleNamespace(cuda="12.4", hip=None)
        cudnn = types.SimpleNamespace(deterministic=False, benchmark=True, version=lambda: 90_100)
        self.backends = types.SimpleNamespace(cudnn=cudnn)
        self.cuda = types.SimpleNamespace(
            is_initialized=lambda: True,
            initial_seed=lambda: self.seed_now,
            nccl=types.SimpleNamespace(version=lambda: (2, 21, 5)),
        )

    def initial_seed(self) -> int:
        return self.seed_now

    def manual_seed(self, seed: int) -> None:
        self.seed_now = seed

    def get_rng_state(self) -> Any:
        return types.SimpleNamespace(numpy=lambda: np.array([self.seed_now], dtype=np.uint8))

    def are_deterministic_algorithms_enabled(self) -> bool:
        return False


def test_torch_jax_and_tensorflow_are_asked_when_they_are_loaded() -> None:
    jax = types.ModuleType("jax")
    jax.config = types.SimpleNamespace(  # type: ignore[attr-defined]
        jax_default_prng_impl="threefry2x32", jax_threefry_partitionable=True, jax_enable_x64=False
    )
    context = types.ModuleType("context")
    context.global_seed = lambda: 77  # type: ignore[attr-defined]
    modules = {"torch": _Torch(), "jax": jax, "tensorflow.python.eager.context": context}
    found = seed_facts(modules, {})
    assert found["seed/torch/seed"] == found["seed/torch/cuda_seed"] == 11
    assert found["seed/torch/cudnn_benchmark"] is True
    assert found["seed/jax/prng"] == "threefry2x32"
    assert found["seed/tensorflow/seed"] == 77


def test_a_library_whose_insides_changed_costs_one_fact_and_no_more() -> None:
    found = seed_facts(
        {"torch": types.ModuleType("torch"), "numpy.random": object(), "random": random}, {}
    )
    assert "seed/python/state" in found


def test_versions_of_what_is_loaded() -> None:
    found = library_facts({"torch": _Torch(), "numpy": np})
    assert found["library/torch"] == "2.9.0"
    assert found["library/numpy"] == np.__version__
    assert found["library/cuda"] == "12.4"
    assert found["library/nccl"] == "2.21.5"


def test_a_run_records_seeds_at_its_start() -> None:
    random.seed(42)
    with capture(record_seeds=True) as captured:
        weir.init(config={"lr": 1}).finish()
    assert captured.meta()["seed/python/seed"] == 42
    assert captured.meta()["library/numpy"] == np.__version__


def test_torch_seeded_after_init_is_seen_at_the_first_log(monkeypatch: pytest.MonkeyPatch) -> None:
    torch = _Torch()
    with capture(record_seeds=True) as captured:
        run = weir.init()
        monkeypatch.setitem(sys.modules, "torch", torch)
        torch.manual_seed(99)
        run.log({"a": 1})
        torch.manual_seed(100)  # once training goes on, it is not where the run began
        run.log({"a": 2})
        run.flush()
        assert captured.meta()["seed/torch/seed"] == 99
        assert captured.meta()["library/torch"] == "2.9.0"
        run.finish()
    assert captured.meta()["seed/torch/seed"] == 99


def test_a_run_that_never_logs_is_looked_at_when_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    with capture(record_seeds=True) as captured:
        run = weir.init()
        monkeypatch.setitem(sys.modules, "torch", _Torch())
        run.finish()
    assert captured.meta()["seed/torch/seed"] == 11


def test_seed_everything_is_recorded_whenever_it_is_called() -> None:
    with capture(record_seeds=True) as captured:
        run = weir.init()
        run.log({"a": 1})
        weir.seed_everything(31)
        run.finish()
    assert captured.meta()["seed/given"] == 31
    assert captured.meta()["seed/python/seed"] == 31


def test_seeds_can_be_switched_off() -> None:
    with capture(record_seeds=False) as captured:
        weir.init().log({"a": 1})
    assert not [path for path in captured.meta() if path.startswith(("seed/", "library/"))]


@pytest.mark.parametrize(
    ("told", "found"), [("5", "5"), ("random", "random"), (None, "random"), ("0", "0")]
)
def test_the_hash_seed_is_the_one_this_interpreter_began_with(told: str | None, found: str) -> None:
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONHASHSEED"}
    environ |= {"PYTHONHASHSEED": told} if told is not None else {}
    script = "import os, sys; from weir._seeds import seed_facts; print(seed_facts({}, os.environ))"
    done = subprocess.run(
        [sys.executable, "-c", script], env=environ, capture_output=True, text=True, check=True
    )
    assert f"'seed/PYTHONHASHSEED': '{found}'" in done.stdout
