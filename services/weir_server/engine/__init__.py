"""The engine: one process that owns a chDB data directory and speaks ClickHouse's HTTP interface.

    request.py ─▶ statement.py (lexer.py) ─▶ app.py ─┬─▶ result.py ─┐
    HTTP → Query   what is it, may it run            └─▶ insert.py ─┴▶ chdb.py ─▶ reply.py

`app.py` is the only file that knows both HTTP and the engine; everything left of it is pure,
and `chdb.py` is the only file that imports chdb.
"""
