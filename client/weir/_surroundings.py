"""What only the training process knows of its inputs: seeds, and libraries that are loaded.

Looked at when the run begins, when it first logs (by then a script has imported and seeded what it
needs) and when it ends. Only what changed is recorded; the seeds a run began with stay what they
are once it has logged: drawing numbers changes a generator's state, not where it began.
"""

import contextlib
import os
import sys
from collections.abc import Callable, Mapping
from typing import Any, Final

from weir._seeds import seed_facts

Record = Callable[[str, Any], None]  # (path, value)

_LIBRARIES: Final = {
    "torch": "torch",
    "jax": "jax",
    "jaxlib": "jaxlib",
    "tensorflow": "tensorflow",
    "numpy": "numpy",
    "transformers": "transformers",
    "lightning": "lightning",
    "pytorch_lightning": "pytorch_lightning",
    "accelerate": "accelerate",
    "deepspeed": "deepspeed",
    "keras": "keras",
    "flax": "flax",
    "sklearn": "scikit-learn",
    "xgboost": "xgboost",
    "lightgbm": "lightgbm",
    "triton": "triton",
    "flash_attn": "flash-attn",
    "ray": "ray",
}
_MAX_CANDIDATES: Final = 20


class Surroundings:
    """Looks at this process, and records what is new since the last look.

    Args:
        record: Takes a META fact.
        config: Gives the run's config: seeds in it are tried on generators.
    """

    def __init__(self, record: Record, config: Callable[[], Mapping[str, Any]]) -> None:
        self._record = record
        self._config = config
        self._told: dict[str, Any] = {}
        self._logged = False

    def look(self, *, logs: bool = False) -> None:
        """Record what changed. Never raises.

        Args:
            logs: The run is about to log for the first time.
        """
        with contextlib.suppress(Exception):  # other people's libraries
            self._tell(library_facts(sys.modules))
            if not self._logged:
                candidates = seeds_in(self._config())
                self._tell(seed_facts(sys.modules, os.environ, candidates))  # noqa: TID251 - PYTHONHASHSEED
            self._logged = self._logged or logs

    def look_again(self) -> None:
        """Record what changed, seeds too: the generators were just seeded anew."""
        logged, self._logged = self._logged, False
        self.look(logs=logged)

    def _tell(self, facts: Mapping[str, Any]) -> None:
        for path, value in facts.items():
            if path not in self._told or self._told[path] != value:
                self._told[path] = value
                self._record(path, value)


def seeds_in(config: Mapping[str, Any]) -> list[int]:
    """Return the numbers of a config whose names say seed, at most 20. Pure."""
    found: list[int] = []
    for name, value in config.items():
        if isinstance(value, Mapping):
            found += seeds_in(value)
        elif "seed" in str(name).lower() and isinstance(value, int):
            found.append(int(value))
    return found[:_MAX_CANDIDATES]


def library_facts(modules: Mapping[str, Any]) -> dict[str, Any]:
    """Return `library/…`: versions of what is loaded, and of CUDA, cuDNN and NCCL as torch has them."""
    facts: dict[str, Any] = {}
    for module, name in _LIBRARIES.items():
        version = getattr(modules.get(module), "__version__", None)
        if isinstance(version, str):
            facts[f"library/{name}"] = str(version)
    torch = modules.get("torch")
    if torch is not None:
        with contextlib.suppress(Exception):
            facts.update(_torch_parts(torch))
    return facts


def _torch_parts(torch: Any) -> dict[str, Any]:
    """What torch was built with; asking does not wake the GPU."""
    facts: dict[str, Any] = {
        "library/cuda": getattr(torch.version, "cuda", None),
        "library/rocm": getattr(torch.version, "hip", None),
    }
    if facts["library/cuda"]:
        with contextlib.suppress(Exception):
            facts["library/cudnn"] = str(torch.backends.cudnn.version() or "")
        with contextlib.suppress(Exception):
            nccl = torch.cuda.nccl.version()
            facts["library/nccl"] = (
                ".".join(map(str, nccl)) if isinstance(nccl, tuple) else str(nccl)
            )
    return {path: value for path, value in facts.items() if value}
