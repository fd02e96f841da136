"""Finished runs as Parquet in the object store, and asked as if they lay in the tables (docs/cold.md)."""
