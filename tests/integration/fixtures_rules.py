"""Parts of the rules process over a store in memory, a scripted SqlReader, and a server that is posted to."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import uuid4

import pyarrow as pa

from weir_server.clock import SystemClock
from weir_server.rules.actions.mail import Mail
from weir_server.rules.actions.runs import Runs
from weir_server.rules.actions.web import Web
from weir_server.rules.deliver import Deliverer
from weir_server.rules.evaluate import Evaluator
from weir_server.rules.loop import RulesLoop
from weir_server.rules.tenure import Tenure
from weir_server.settings import RulesSettings
from weir_server.stream.base import StopRequest
from weir_server.stream.memory_lease import MemoryLease, MemoryLeases
from weir_store.base import Inserter
from weir_store.editor import Editor
from weir_store.errors import StoreUnavailable
from weir_store.memory import MemoryStore
from weir_store.memory_reader import MemoryReader
from weir_store.records import RunRef
from weir_store.rules.ask import Asking, limits_of
from weir_store.rules.definition import definition_of
from weir_store.rules.editor import RuleEditor
from weir_store.rules.memory import MemoryRules
from weir_store.rules.records import Rule
from weir_store.sql.base import Answer, Question

Row = dict[str, Any]
_SCHEMA = pa.schema(
    {"run_id": pa.string(), "rank": pa.int64(), "node": pa.string(), "value": pa.float64(),
     "message": pa.string()}
)  # fmt: skip


class ScriptedSql:
    """`SqlReader` whose answers a test sets, by the text of the statement; else nothing fires."""

    def __init__(self) -> None:
        self.answers: dict[str, Sequence[Row] | Exception | Callable[[], Sequence[Row]]] = {}
        self.asked: list[Question] = []

    def ask(self, question: Question) -> Answer:
        self.asked.append(question)
        found = self.answers.get(question.text, [])
        if isinstance(found, Exception):
            raise found
        rows = list(found() if callable(found) else found)
        most = question.limits.result_rows
        table = pa.Table.from_pylist(
            [{name: row.get(name) for name in _SCHEMA.names} for row in rows[:most]], _SCHEMA
        )
        return Answer(_SCHEMA, iter(table.to_batches()), cut=len(rows) > most)

    def list_views(self) -> tuple[Any, ...]:
        return ()


class FlakyStore:
    """An inserter that a test lets fail: before it stores anything, or after."""

    def __init__(self, store: Inserter) -> None:
        self.store = store
        self.fails = 0  # inserts from now on that fail
        self.after = False  # … after having stored
        self.when: Callable[[Any], bool] = lambda block: True

    def insert(self, block: Any, token: str) -> None:
        failing = self.fails > 0 and self.when(block)
        if failing and not self.after:
            self.fails -= 1
            raise StoreUnavailable("away")
        self.store.insert(block, token)
        if failing:
            self.fails -= 1
            raise StoreUnavailable("away, after all")

    def read_committed(self, producers: Any) -> Any:
        return self.store.read_committed(producers)


class RulesWorld:
    """What all rules processes of a test share."""

    def __init__(self, memory: MemoryStore | None = None) -> None:
        self.memory = memory or MemoryStore()
        self.reader = MemoryRules(self.memory)
        self.editor = RuleEditor(self.memory)
        self.runs = MemoryReader(self.memory)
        self.leases = MemoryLeases()
        self.sql = ScriptedSql()
        self.stops: dict[RunRef, StopRequest] = {}
        self.stop_fails: Exception | None = None
        self.processes: list[RulesProcess] = []

    def put(self, project: str, name: str = "r", **said: Any) -> Rule:
        """Store a rule; `sql` is its name unless it says so."""
        said = {"sql": f"SELECT {name}", "every": 5, **said}
        definition = definition_of({"name": name, **said})
        rule = Rule(project, uuid4(), definition, 1, "ann", time.time_ns() // 1_000)
        self.editor.put_rule(rule)
        return rule

    def process(self, **settings: Any) -> RulesProcess:
        """Start one more process."""
        process = RulesProcess(self, **settings)
        self.processes.append(process)
        process.start()
        return process

    def close(self) -> None:
        for process in self.processes:
            process.close()


class RulesProcess:
    """The rules process in a thread of this one; rules are due at once again when asked."""

    def __init__(self, world: RulesWorld, *, lease_s: float = 2.0, **settings: Any) -> None:
        self.settings = RulesSettings(**{"delivery_s": 1.0, "tries": 3, **settings})
        clock = SystemClock()
        self.store = FlakyStore(world.memory)
        editor = RuleEditor(self.store)
        lease = MemoryLease(world.leases, owner=uuid4().hex, lease_s=lease_s)
        self.tenure = Tenure(lease, lease_s, clock)

        def ask_to_stop(ref: RunRef, stop: StopRequest) -> None:
            if world.stop_fails:
                raise world.stop_fails
            world.stops[ref] = stop

        runs = Runs(world.runs, Editor(self.store), ask_to_stop, clock)
        acts = {
            **Web(True, self.settings.delivery_s).acts(),
            **Mail(self.settings).acts(),
            **runs.acts(),
        }
        require = self.tenure.require
        self.deliverer = Deliverer(acts, editor, clock, require, most_tries=self.settings.tries)
        asking = Asking(world.sql, limits_of(1.0, 1 << 30, 1_000))
        self.evaluator = Evaluator(
            world.reader, editor, asking, clock, require, self.deliverer.offer
        )
        self.stop = threading.Event()
        self.loop = RulesLoop(
            world.reader, editor, self.evaluator, self.deliverer, self.tenure, clock, self.stop,
            at_once=self.settings.at_once, poll_s=0.05,
        )  # fmt: skip
        self.thread = threading.Thread(target=self.loop.run, daemon=True)

    def start(self) -> None:
        self.thread.start()

    def close(self) -> None:
        self.stop.set()
        self.thread.join(30)
        assert not self.thread.is_alive(), "the rules process does not end"


class Listener:
    """An HTTP server that keeps what it is sent, and answers as told."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.status = 200
        self.location = ""
        self.drips = False
        self.hangs = threading.Event()  # set = does not hang
        self.hangs.set()
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                owner.got.append((dict(self.headers), body))
                if owner.drips:
                    self._drip()
                    return
                owner.hangs.wait(60)
                self.send_response(owner.status)
                if owner.location:
                    self.send_header("Location", owner.location)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def _drip(self) -> None:
                try:
                    for letter in b"HTTP/1.1 200 OK" + b" " * 600:
                        self.wfile.write(bytes([letter]))
                        self.wfile.flush()
                        time.sleep(0.1)
                except OSError:
                    return

            def log_message(self, *_: Any) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/hook"

    def said(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body in self.got]

    def close(self) -> None:
        self.hangs.set()
        self.server.shutdown()
        self.server.server_close()


def listening() -> Iterator[Listener]:
    listener = Listener()
    yield listener
    listener.close()
