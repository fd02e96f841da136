"""Bytes at rest: artifacts and media, in any S3, in a local directory, or in memory for tests."""
