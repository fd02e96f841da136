"""The version of this release: pyproject.toml reads it from here.

A constant, because asking the installed package takes 10 ms of every init().
"""

__version__ = "0.1.0"
