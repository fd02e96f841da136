"""Artifacts at rest: whose blobs are there, which versions there are, what came out of what, which models."""
