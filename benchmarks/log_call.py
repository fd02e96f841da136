"""`log()` of 20 scalars on the caller's thread, beside W&B offline and a TensorBoard writer."""

from __future__ import annotations

import sys

from benchmarks.harness import PEERS_PYTHON, Figure, run_script

CALLS, SCALARS, PERIOD_S = 6_000, 20, 0.001


def measure() -> list[Figure]:
    """Run each tracker in a process of its own, in turn, three times; the median run counts."""
    rounds: dict[str, list[dict[str, float]]] = {"weir": [], "wandb": [], "tensorboard": []}
    for _ in range(3):
        rounds["weir"].append(
            run_script(sys.executable, "weir_log.py", CALLS, SCALARS, PERIOD_S, "offline")
        )
        rounds["wandb"].append(
            run_script(PEERS_PYTHON, "peers/wandb_log.py", CALLS, SCALARS, PERIOD_S)
        )
        rounds["tensorboard"].append(
            run_script(PEERS_PYTHON, "peers/tensorboard_log.py", CALLS, SCALARS, PERIOD_S)
        )
    middle = {name: sorted(runs, key=lambda run: run["p50_us"])[1] for name, runs in rounds.items()}
    ours = middle["weir"]
    return [
        Figure("log() of 20 scalars, back to back, p50", ours["hot_p50_us"], "µs", "<= 5"),
        Figure("log() of 20 scalars, back to back, p99", ours["hot_p99_us"], "µs", "<= 50"),
        Figure("… at 1 kHz, the thread asleep in between, p50", ours["p50_us"], "µs"),
        Figure("… at 1 kHz, the thread asleep in between, p99", ours["p99_us"], "µs", "<= 50"),
        Figure("… at 1 kHz, the thread asleep in between, p99.9", ours["p999_us"], "µs"),
        Figure("wandb offline at 1 kHz, p50", middle["wandb"]["p50_us"], "µs"),
        Figure("tensorboardX at 1 kHz, p50", middle["tensorboard"]["p50_us"], "µs"),
        Figure(
            "cheaper than wandb offline at p50",
            middle["wandb"]["p50_us"] / ours["p50_us"],
            "×",
            ">= 20",
        ),
        Figure(
            "cheaper than tensorboardX at p50",
            middle["tensorboard"]["p50_us"] / ours["p50_us"],
            "×",
            ">= 10",
        ),
    ]
