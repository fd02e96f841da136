"""The smallest run: `weir up` in one terminal, this in another."""

import weir

with weir.init(project="hello", config={"speed": 0.1}) as run:
    for step in range(100):
        run.log({"loss": 1 / (1 + 0.1 * step)})
