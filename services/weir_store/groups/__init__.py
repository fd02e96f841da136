"""Groups of runs: one line and one band for all runs that share a config value, a tag or a user."""
