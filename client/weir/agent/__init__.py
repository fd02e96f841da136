"""The agent: one process per node and spool root that brings every spool to its server.

    _agent.py         what it does all day: discover, drain, finish the dead, sync, end when idle
    _drain.py         links and the disk behind them; also the engine of `weir sync`
    _link.py          one (server, token): connect, back off, rotate
    _stream.py        one conversation over the bidirectional stream, many producers on it
    _unary.py         the same, one request at a time
    _producer.py      one producer: its spool on one side, its conversation on the other
    _conversation.py  what may be sent next and what the answers mean (pure)
    _attendance.py    which runs are here; calls the observers; _observers.py names them
    _node_log.py      the agent's own producer in a run: what observers find
    _takeover.py      finishes what a dead trainer left
    _extent.py        what lies in a spool, and whether it is complete
    _liveness.py      is the trainer still there?
    _fsync.py         makes open segments safe from power loss, once a second
    _messages.py      spool values ↔ wire messages; compression (pure)
    _status.py        gRPC status → what to do (pure)
    _backoff.py       how long to wait (pure)
    _transport.py     the only file here that imports grpc
    _serve.py         the process around it all: lock, log, signals
    _lock.py _log.py  the agent's own files under the root

Everything runs in one asyncio loop; slow disk work (fsync, unlink) runs in one thread beside it.
"""
