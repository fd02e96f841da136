"""Artifacts as their user holds them: sets of files that become versions (docs/artifacts.md).

artifact.py   Artifact: which files, under which names
paths.py      which names; hostile ones are refused (pure)
manifest.py   the list of files, and its digest (pure)
walking.py    what lies below a folder
staging.py    an order for the agent, and bytes held for it
logged.py     LoggedArtifact: an order on its way
used.py       UsedArtifact: a version to read
child.py      asking the server from a training process: in a child
fetch.py      that child
asking.py     asking the server here
download.py   bytes to a folder: parallel, resumable, verified
getting.py    HTTP: a range of an object
landing.py    writing below a folder without following links
cache.py      content that was fetched before
verifying.py  whether a folder holds what a manifest says

Importing this loads nothing heavy: the training process does.
"""
