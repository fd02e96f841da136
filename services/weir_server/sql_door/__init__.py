"""The SQL door: ClickHouse's HTTP interface for tools of others, over the views and nothing else."""
