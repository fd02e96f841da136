"""How a Weir fares, from what lies at rest: who sent how much, what was lost, how large it all is.

base.py        the door, `HealthReader`, and its words
clickhouse.py  asking the tables, and ClickHouse about itself
memory.py      the twin over `MemoryStore`
"""
