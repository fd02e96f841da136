"""Random seeds: what the generators of this process were started with, as far as that can be known.

A generator keeps its state, not its seed. So the state is recorded (a digest of it tells whether
two runs began alike), and the seed where it is certain: given through `seed_everything`, kept by
the library (torch, TensorFlow), or found by trying, when the state is just what a seed makes.
"""

import contextlib
import os
import sys
import zlib
from collections.abc import Iterable, Mapping
from importlib import import_module
from typing import Any, Final

from weir.errors import UsageError

_MAX_SEED: Final = (1 << 32) - 1
_MT_WORDS: Final = 624
_USUAL: Final = (0, 1, 2, 3, 42, 123, 1234, 12345, 1337, 2021, 2022, 2023, 2024, 2025, 2026)
_given: list[int] = []  # through seed_everything, oldest first

Modules = Mapping[str, Any]


def seed_everything(seed: int, *, deterministic: bool = False) -> int:
    """Seed every random generator this process uses, and record the seed in the run.

    Python's `random`, NumPy's legacy generator, torch (with all its devices) and TensorFlow, each
    if it is loaded. Generators of your own (`numpy.random.default_rng`) and JAX, which has no global
    one, take the returned seed: `jax.random.key(seed)`. PYTHONHASHSEED is set for processes started
    from now on; in this one it cannot be changed.

    Args:
        seed: 0 … 2^32 − 1.
        deterministic: Also ask torch for deterministic algorithms (slower; some operations fail).

    Returns:
        The seed.

    Raises:
        UsageError: It is no such number.
    """
    if isinstance(seed, bool) or not hasattr(type(seed), "__index__"):
        raise UsageError(f"a seed is a whole number, not {seed!r}")
    seed = int(seed.__index__())
    if not 0 <= seed <= _MAX_SEED:
        raise UsageError(f"seed {seed} is not within 0 … {_MAX_SEED}")
    import random

    random.seed(seed)
    os.environ["PYTHONHASHSEED"] = str(seed)  # noqa: TID251 - for the children of this process
    if "numpy" in sys.modules:  # which loads its generators only when they are first asked
        import_module("numpy.random").seed(seed)
    if (torch := sys.modules.get("torch")) is not None:
        torch.manual_seed(seed)  # of all devices
        if deterministic:
            torch.use_deterministic_algorithms(True, warn_only=True)
            torch.backends.cudnn.benchmark = False
    if (tensorflow := sys.modules.get("tensorflow")) is not None:
        tensorflow.random.set_seed(seed)
    _given.append(seed)
    _tell_runs()
    return seed


def _tell_runs() -> None:
    from weir._exit import open_runs  # runs know of seeds, not the other way round

    for run in open_runs():
        run.look_at_seeds()


def seed_facts(
    modules: Modules, environ: Mapping[str, str], candidates: Iterable[Any] = ()
) -> dict[str, Any]:
    """Return `seed/…` facts on the generators of this process. Asks only what is loaded.

    Args:
        modules: `sys.modules`.
        environ: The environment variables.
        candidates: Numbers that may have been used as seeds, e.g. those of the config.
    """
    facts: dict[str, Any] = {"seed/PYTHONHASHSEED": _hash_seed(environ)}
    if _given:
        facts["seed/given"] = _given[-1]
    for collect in (_numpy_facts, _torch_facts, _jax_facts, _tensorflow_facts):
        with contextlib.suppress(Exception):  # a library's insides may change; a fact less then
            facts.update(collect(modules))
    known = [facts.get(path) for path in ("seed/given", "seed/numpy/seed", "seed/torch/seed")]
    with contextlib.suppress(Exception):
        facts.update(_python_facts(modules, (*known, *candidates, *_USUAL)))
    return facts


def _hash_seed(environ: Mapping[str, str]) -> str:
    """What this interpreter hashes with: `random` unless it was told a number at its start."""
    if sys.flags.hash_randomization:
        told = environ.get("PYTHONHASHSEED", "")
        # seed_everything sets the variable too late for this process
        return "random" if not told or told == "random" or _given else told
    return "0"


def _python_facts(modules: Modules, candidates: Iterable[Any]) -> dict[str, Any]:
    random = modules.get("random")
    if random is None:
        return {}
    state = random.getstate()
    facts: dict[str, Any] = {"seed/python/state": _digest(repr(state).encode())}
    whole = {each for each in candidates if isinstance(each, int) and not isinstance(each, bool)}
    for seed in whole:
        if random.Random(seed).getstate() == state:
            facts["seed/python/seed"] = seed
            break
    return facts


def _numpy_facts(modules: Modules) -> dict[str, Any]:
    numpy_random = modules.get("numpy.random")
    if numpy_random is None:
        return {}
    name, keys, position, *_ = numpy_random.get_state()
    state = f"{name}/{position}/".encode() + keys.tobytes()
    facts: dict[str, Any] = {"seed/numpy/state": _digest(state)}
    # A seed below 2^32 becomes the first word as it is; the second one follows from it.
    first, second = int(keys[0]), int(keys[1])
    follows = (1_812_433_253 * (first ^ (first >> 30)) + 1) & _MAX_SEED
    if name == "MT19937" and position == _MT_WORDS and second == follows:
        facts["seed/numpy/seed"] = first
    return facts


def _torch_facts(modules: Modules) -> dict[str, Any]:
    torch = modules.get("torch")
    if torch is None or not hasattr(torch, "initial_seed"):
        return {}
    facts: dict[str, Any] = {
        "seed/torch/seed": int(torch.initial_seed()),
        "seed/torch/state": _digest(bytes(torch.get_rng_state().numpy().tobytes())),
        "seed/torch/deterministic": bool(torch.are_deterministic_algorithms_enabled()),
    }
    backends = getattr(torch.backends, "cudnn", None)
    if backends is not None:
        facts["seed/torch/cudnn_deterministic"] = bool(backends.deterministic)
        facts["seed/torch/cudnn_benchmark"] = bool(backends.benchmark)
    if torch.cuda.is_initialized():
        facts["seed/torch/cuda_seed"] = int(torch.cuda.initial_seed())
    return facts


def _jax_facts(modules: Modules) -> dict[str, Any]:
    """JAX has no global generator: what can be known is how keys are made."""
    jax = modules.get("jax")
    if jax is None:
        return {}
    facts = {
        "seed/jax/prng": getattr(jax.config, "jax_default_prng_impl", None),
        "seed/jax/threefry_partitionable": getattr(jax.config, "jax_threefry_partitionable", None),
        "seed/jax/enable_x64": getattr(jax.config, "jax_enable_x64", None),
    }
    return {path: value for path, value in facts.items() if value is not None}


def _tensorflow_facts(modules: Modules) -> dict[str, Any]:
    context = modules.get("tensorflow.python.eager.context")
    seed = context.global_seed() if context is not None else None
    return {} if seed is None else {"seed/tensorflow/seed": int(seed)}


def _digest(state: bytes) -> str:
    """Tells like from unlike; nobody has a reason to forge one, and hashlib costs 4 MB."""
    return f"crc32:{zlib.crc32(state):08x}"
