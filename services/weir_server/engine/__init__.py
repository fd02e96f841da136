"""The engine: one process that owns a chDB data directory and speaks ClickHouse's HTTP interface.

    request.py ─▶ statement.py ─▶ queries.py ─┬─▶ result.py ─┐
    HTTP → Query  what is it,     (app.py      └─▶ insert.py ─┴▶ chdb.py ─▶ reply.py ─▶ answer.py
                  may it run       routes)

`queries.py` is the only file that knows both HTTP and the engine; what stands left of it is pure.
`chdb.py` is the only file that imports chdb, and says at its top what was found out about it.
"""
