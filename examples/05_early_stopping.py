"""A controller that stops runs: four trainings begin, half of those that are left is stopped at every rung.

Each training is a process of its own and looks at `run.should_stop`. The controller looks on with
`api.subscribe` and knows of a loss about a second after it was logged (successive halving, Jamieson and
Talwalkar, 2016).
"""

from __future__ import annotations

import argparse
import math
import subprocess
import sys
import time
import uuid

import weir

RATES = (0.003, 0.03, 0.3, 1.5)  # the last one diverges
RUNGS = (40, 80)
STEPS = 400


def train(project: str, run_id: str, rate: float, pause_s: float) -> None:
    """Walk down a parabola until it is over, or somebody says stop."""
    with weir.init(project=project, id=run_id, config={"lr": rate}) as run:
        weight = 10.0
        for _step in range(STEPS):
            weight -= rate * 2 * weight
            run.log({"loss": min(weight * weight, 1e30)})
            if run.should_stop:
                break
            time.sleep(pause_s)


def control(api: weir.Api, runs: list[str]) -> list[str]:
    """Stop the worse half of the runs at every rung; return those that were left."""
    left, losses = set(runs), dict[tuple[str, int], float]()
    rungs = list(RUNGS)
    # From the start: what was logged before we came counts, too.
    with api.subscribe(runs, metrics="loss", kinds="point", since="start") as updates:
        for update in updates:
            if update.kind != "point":
                continue
            losses[update.run, update.step] = update.value
            while rungs and all((run, rungs[0]) in losses for run in left):
                rung = rungs.pop(0)
                ranked = sorted(left, key=lambda run: _badness(losses[run, rung]))
                for run in ranked[len(ranked) // 2 :]:
                    api.run(run).stop(f"among the worse half at step {rung}")
                    print(f"stopped {run} at step {rung}: loss {losses[run, rung]:.3g}")
                    left.remove(run)
            if not rungs:
                return sorted(left)
    return sorted(left)


def _badness(loss: float) -> float:
    return loss if math.isfinite(loss) else math.inf


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--project", default="early-stopping")
    parser.add_argument("--pause-s", type=float, default=0.05, help="how long a step takes")
    parser.add_argument("--train", nargs=2, metavar=("ID", "LR"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.train:
        train(given.project, given.train[0], float(given.train[1]), given.pause_s)
        return
    search = uuid.uuid4().hex[:6]
    trainings, runs = [], []
    for rate in RATES:
        run_id = f"{search}-lr{rate}"
        command = [sys.executable, __file__, "--project", given.project, "--train", run_id]
        command += [str(rate), "--pause-s", str(given.pause_s)]
        trainings.append(subprocess.Popen(command))
        runs.append(f"{given.project}/{run_id}")
    try:
        with weir.Api() as api:
            _wait_for(api, given.project, runs)
            best = control(api, runs)
    finally:
        for training in trainings:
            training.wait()
    print(f"left: {', '.join(best)}")


def _wait_for(api: weir.Api, project: str, runs: list[str]) -> None:
    """Wait until the server knows every run."""
    while not set(runs) <= {run.path for run in api.runs(project)}:
        time.sleep(0.2)


if __name__ == "__main__":
    main()
