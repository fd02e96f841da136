"""The stream between gateway and writer: Redis, and its in-memory twin."""
