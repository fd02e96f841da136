"""The names that runs of a project use: config and summary paths, and metrics. Found by search, never all at once."""
