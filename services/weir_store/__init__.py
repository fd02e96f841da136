"""What lies at rest, and how to ask it. Knows ClickHouse; knows no gRPC and no Redis."""
