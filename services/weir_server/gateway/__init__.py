"""The gRPC door: ingest, runs, query; who may come in, and what is too much."""
