"""Functions that SQL over the views may call: one lambda a file, made anew by every `weir migrate`.

They belong to the server, not to a database, and begin with `weir_`. What each says and takes is in
docs/ranks.md.
"""

FUNCTIONS = (
    "weir_bucket",
    "weir_finite",
    "weir_iqm",
    "weir_t95",
    "weir_ci_low",
    "weir_ci_high",
    "weir_bootstrap",
    "weir_bootstrap_iqm",
    "weir_smooth",
    "weir_robust_z",
)
"""Their names, in the order in which they build on each other."""
