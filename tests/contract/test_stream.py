"""What docs/formats/stream.md promises, kept by the twin, by Redis 7 or newer, and by Redis 6.2."""

import asyncio
import inspect
import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from redis import exceptions as redis_exceptions

from tests.contract.fixtures_redis import BINARIES, RedisServer, find_binary
from weir_server.errors import StartupError, StreamUnavailable
from weir_server.settings import StreamSettings
from weir_server.stream.base import (
    Appender,
    Consumer,
    Inflight,
    NewEntry,
    Outcome,
    StopRequest,
    shard_of,
)
from weir_server.stream.memory import MemoryStream
from weir_server.stream.redis import RedisAppender, RedisConsumer, prepare_stream
from weir_server.stream.redis.vendor import translate

A, B = b"a" * 16, b"\x00\xff" * 8
BUDGET_BYTES = 1 << 20
SHARDS = 2


@dataclass
class Stream:
    """One implementation, and how to break it."""

    call: Callable  # runs a coroutine method of a fresh-looking appender
    consumer: Callable[..., Consumer]
    flush: Callable[[], None]
    away: Callable[[], None]


@pytest.fixture(scope="module", params=["memory", *BINARIES])
def backend(request, tmp_path_factory) -> Iterator[MemoryStream | RedisServer]:
    if request.param == "memory":
        yield MemoryStream(shards=SHARDS, max_bytes=BUDGET_BYTES)
        return
    server = RedisServer(find_binary(request.param), tmp_path_factory.mktemp("stream"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def stream(backend) -> Iterator[Stream]:
    loop = asyncio.new_event_loop()
    consumers: list[Consumer] = []
    backend.flush()
    appender: Appender
    if isinstance(backend, MemoryStream):
        appender = backend.appender()
        make = backend.consumer
        away = lambda: setattr(backend, "available", False)  # noqa: E731
    else:
        settings = backend.settings(shards=SHARDS, max_bytes=BUDGET_BYTES)
        appender = RedisAppender(settings)
        make = lambda shard, **more: RedisConsumer(settings, shard, **more)  # noqa: E731
        away = backend.stop

    def consumer(shard: int = 0, *, owner: str = "w1", lease_s: float = 15.0) -> Consumer:
        consumers.append(make(shard, owner=owner, lease_s=lease_s))
        return consumers[-1]

    def call(method: str, *args):
        return loop.run_until_complete(getattr(appender, method)(*args))

    yield Stream(call, consumer, backend.flush, away)
    if isinstance(backend, MemoryStream):
        backend.available = True
    elif backend._process is None:
        backend.start()
    for one in consumers:
        one.close()
    call("close")
    loop.close()


def append(
    stream: Stream,
    *entries: tuple[bytes, int],
    shard: int = 0,
    size: int = 10,
    project: str = "p",
):
    new = [NewEntry(shard, producer, seq, b"x" * size, project) for producer, seq in entries]
    return [(r.outcome, r.last_seq) for r in stream.call("append", new)]


def known(stream: Stream, *producers: bytes, shard: int = 0) -> None:
    for producer in producers:
        stream.call("raise_to", shard, producer, 0)


# ── append ─────────────────────────────────────────────────────────────────


def test_a_producer_nobody_raised_is_unknown(stream):
    assert append(stream, (A, 1)) == [(Outcome.UNKNOWN, 0)]
    assert stream.call("read_accepted", 0, A) is None


def test_the_next_frame_is_taken_and_the_same_again_is_a_dup(stream):
    known(stream, A)
    assert append(stream, (A, 1)) == [(Outcome.OK, 1)]
    assert append(stream, (A, 1)) == [(Outcome.DUP, 1)]
    assert stream.call("read_accepted", 0, A) == 1


def test_a_frame_too_far_ahead_is_a_gap_and_not_taken(stream):
    known(stream, A)
    assert append(stream, (A, 3)) == [(Outcome.GAP, 0)]
    assert stream.consumer().read_new(10, 0.0) == []


def test_one_entry_may_stand_for_all_the_frames_that_never_came(stream):
    known(stream, A)
    assert append(stream, (A, 1)) == [(Outcome.OK, 1)]
    too_late = NewEntry(0, A, 9, b"lost", "p", first_seq=3)
    assert [r.outcome for r in stream.call("append", [too_late])] == [Outcome.GAP]
    in_place = NewEntry(0, A, 9, b"lost", "p", first_seq=2)
    results = stream.call("append", [in_place, in_place])
    assert [(r.outcome, r.last_seq) for r in results] == [(Outcome.OK, 9), (Outcome.DUP, 9)]
    assert append(stream, (A, 10)) == [(Outcome.OK, 10)]


def test_many_producers_are_appended_in_one_call_each_by_its_own_count(stream):
    known(stream, A, B)
    assert append(stream, (A, 1), (B, 1), (A, 2), (B, 3), (A, 3)) == [
        (Outcome.OK, 1),
        (Outcome.OK, 1),
        (Outcome.OK, 2),
        (Outcome.GAP, 1),
        (Outcome.OK, 3),
    ]


def test_after_the_first_frame_not_taken_the_later_ones_are_gaps(stream):
    known(stream, A)
    append(stream, (A, 1), size=BUDGET_BYTES // SHARDS)
    outcomes = [outcome for outcome, _ in append(stream, (A, 2), (A, 3), (A, 4))]
    assert outcomes == [Outcome.FULL, Outcome.GAP, Outcome.GAP]


def test_a_full_shard_takes_nothing_and_others_do_not_notice(stream):
    known(stream, A, B)
    known(stream, B, shard=1)
    append(stream, (A, 1), size=BUDGET_BYTES // SHARDS - 20)
    assert append(stream, (B, 1), size=21, project="q") == [(Outcome.FULL, 0)]
    assert append(stream, (B, 1), size=20, project="q") == [(Outcome.OK, 1)]
    assert append(stream, (B, 1), shard=1) == [(Outcome.OK, 1)]


def fill(stream: Stream, producer: bytes, project: str, *, size: int = 1_000) -> int:
    """Append entries until there is no more room; returns how many bytes were taken."""
    known(stream, producer)
    seq = stream.call("read_accepted", 0, producer)
    held = 0
    while append(stream, (producer, seq + 1), size=size, project=project)[0][0] is Outcome.OK:
        seq, held = seq + 1, held + size
    return held


def test_a_project_that_floods_leaves_room_for_one_that_comes_later(stream):
    room = BUDGET_BYTES // SHARDS
    flood = fill(stream, A, "flood")
    assert 0.85 * room < flood < 0.9 * room  # eight ninths
    late = fill(stream, B, "late")
    assert late > 0.09 * room
    assert append(stream, (A, flood // 1_000 + 1), project="flood") == [
        (Outcome.FULL, flood // 1_000)
    ]


def test_freed_room_goes_to_the_project_that_holds_less(stream):
    flood = fill(stream, A, "flood") // 1_000
    fill(stream, B, "late")
    consumer = stream.consumer()
    consumer.acquire()
    freed = flood // 4
    consumer.commit(consumer.read_new(freed, 0.0), {})
    assert fill(stream, B, "late") // 1_000 > 0.8 * freed
    assert append(stream, (A, flood + 1), size=1_000, project="flood") == [(Outcome.FULL, flood)]


def test_projects_that_all_flood_come_to_hold_the_same(stream):
    producers = {f"p{n}": bytes([n]) * 16 for n in range(4)}
    held = dict.fromkeys(producers, 0)
    consumer = stream.consumer()
    consumer.acquire()
    for producer in producers.values():
        known(stream, producer)
    for _ in range(
        40
    ):  # the writer takes some, everybody sends what it can, the first is greediest
        for name, producer in producers.items():
            held[name] += fill(stream, producer, name)
        entries = consumer.read_new(100, 0.0)
        assert consumer.commit(entries, {})
        for entry in entries:
            held[entry.project] -= len(entry.payload)
    for name, producer in producers.items():
        held[name] += fill(stream, producer, name)
    assert max(held.values()) < 2 * min(held.values())


def test_shares_are_given_back_to_the_last_byte(stream):
    fill(stream, A, "flood")
    consumer = stream.consumer()
    consumer.acquire()
    while entries := consumer.read_new(1_000, 0.0):
        assert consumer.commit(entries, {})
        assert consumer.commit(entries, {})  # twice frees once
    assert consumer.read_lag().bytes == 0
    assert fill(stream, A, "flood") > 0.85 * BUDGET_BYTES // SHARDS


def test_after_a_flush_everybody_has_their_share_again(stream):
    flood = fill(stream, A, "flood")
    stream.flush()
    assert fill(stream, A, "flood") == flood


def test_entries_say_whose_share_they_hold(stream):
    known(stream, A)
    append(stream, (A, 1), project="müller/1")
    assert [e.project for e in stream.consumer().read_new(10, 0.0)] == ["müller/1"]


def test_an_empty_shard_takes_an_entry_over_its_budget(stream):
    known(stream, A)
    assert append(stream, (A, 1), size=BUDGET_BYTES) == [(Outcome.OK, 1)]


def test_commit_makes_room_again(stream):
    known(stream, A)
    append(stream, (A, 1), size=BUDGET_BYTES // SHARDS)
    assert append(stream, (A, 2)) == [(Outcome.FULL, 1)]
    consumer = stream.consumer()
    consumer.acquire()
    assert consumer.commit(consumer.read_new(10, 0.0), {A: 1})
    assert append(stream, (A, 2)) == [(Outcome.OK, 2)]


def test_raise_never_lowers(stream):
    assert stream.call("raise_to", 0, A, 7) == 7
    assert stream.call("raise_to", 0, A, 3) == 7
    assert append(stream, (A, 8)) == [(Outcome.OK, 8)]


def test_numbers_stay_whole_up_to_the_largest_seq(stream):
    largest = 2**32 - 1
    assert stream.call("raise_to", 0, A, largest - 1) == largest - 1
    assert append(stream, (A, largest)) == [(Outcome.OK, largest)]


def test_payloads_of_any_bytes_come_out_as_they_went_in(stream):
    known(stream, B)
    payload = bytes(range(256)) * 20
    stream.call("append", [NewEntry(0, B, 1, payload)])
    (entry,) = stream.consumer().read_new(10, 0.0)
    assert (entry.producer, entry.seq, entry.payload) == (B, 1, payload)


def test_what_was_forgotten_is_unknown_and_can_be_raised_again(stream):
    known(stream, A)
    append(stream, (A, 1), (A, 2))
    stream.flush()
    assert append(stream, (A, 3)) == [(Outcome.UNKNOWN, 0)]
    stream.call("raise_to", 0, A, 2)
    assert append(stream, (A, 3)) == [(Outcome.OK, 3)]


# ── runs ───────────────────────────────────────────────────────────────────


def test_the_first_to_register_a_run_sets_its_birth(stream):
    assert stream.call("read_registered", "p", "r") is None
    assert stream.call("register_run", "p", "r", 100) == 100
    assert stream.call("register_run", "p", "r", 50) == 100
    assert stream.call("read_registered", "p", "r") == 100


def test_slashes_in_names_keep_runs_apart(stream):
    stream.call("register_run", "a/b", "c", 1)
    assert stream.call("read_registered", "a", "b/c") is None


def test_a_stop_is_read_by_those_who_ask_for_the_run(stream):
    note = StopRequest(reason="diverged – stop", by="me")
    stream.call("request_stop", "p", "r", note)
    assert stream.call("read_stops", [("p", "r"), ("p", "other")]) == {("p", "r"): note}
    assert stream.call("read_stops", []) == {}


# ── consume ────────────────────────────────────────────────────────────────


def test_entries_are_read_in_order_and_once(stream):
    known(stream, A)
    append(stream, *((A, seq) for seq in range(1, 6)))
    consumer = stream.consumer()
    assert [e.seq for e in consumer.read_new(3, 0.0)] == [1, 2, 3]
    assert [e.seq for e in consumer.read_new(3, 0.0)] == [4, 5]
    assert consumer.read_new(3, 0.01) == []


def test_entries_not_committed_are_pending_for_the_next_writer(stream):
    known(stream, A)
    append(stream, (A, 1), (A, 2), (A, 3))
    stream.consumer(owner="w1").read_new(2, 0.0)
    successor = stream.consumer(owner="w2")
    assert [e.seq for e in successor.read_pending(10)] == [1, 2]
    assert [e.seq for e in successor.read_pending(1)] == [1]
    assert [e.seq for e in successor.read_new(10, 0.0)] == [3]


def test_committed_entries_are_gone_and_their_watermark_is_known(stream):
    known(stream, A, B)
    append(stream, (A, 1), (B, 1), (A, 2))
    consumer = stream.consumer()
    consumer.acquire()
    entries = consumer.read_new(10, 0.0)
    assert consumer.commit(entries[:2], {A: 1, B: 1})
    assert [e.seq for e in consumer.read_pending(10)] == [2]
    assert stream.call("read_committed", 0, [A, B, b"c" * 16]) == {A: 1, B: 1}
    assert stream.call("read_committed", 0, []) == {}


def test_a_watermark_never_falls(stream):
    consumer = stream.consumer()
    consumer.acquire()
    assert consumer.commit([], {A: 5})
    assert consumer.commit([], {A: 3})
    assert stream.call("read_committed", 0, [A]) == {A: 5}


def test_committing_twice_changes_nothing(stream):
    known(stream, A)
    append(stream, (A, 1), (A, 2))
    consumer = stream.consumer()
    consumer.acquire()
    entries = consumer.read_new(1, 0.0)
    assert consumer.commit(entries, {A: 1})
    assert consumer.commit(entries, {A: 1})
    lag = consumer.read_lag()
    assert (lag.entries, lag.bytes) == (1, 10)


def test_a_range_can_be_read_again_both_ends_included(stream):
    known(stream, A)
    append(stream, *((A, seq) for seq in range(1, 6)))
    consumer = stream.consumer()
    consumer.acquire()
    entries = consumer.read_new(10, 0.0)
    assert consumer.read_range(entries[1].id, entries[3].id) == entries[1:4]
    consumer.commit(entries[2:3], {})
    assert [e.seq for e in consumer.read_range(entries[1].id, entries[3].id)] == [2, 4]


def test_the_block_under_way_is_there_for_a_successor_until_committed(stream):
    consumer = stream.consumer(owner="w1", lease_s=15)
    consumer.acquire()
    assert consumer.read_inflight() is None
    block = Inflight("1-0", "2-0", "token")
    assert consumer.write_inflight(block)
    assert stream.consumer(owner="w2").read_inflight() == block
    assert consumer.commit([], {})
    assert consumer.read_inflight() is None


def test_one_writer_holds_a_shard_and_others_do_not(stream):
    first, second = stream.consumer(owner="w1"), stream.consumer(owner="w2")
    assert first.acquire()
    assert first.acquire()
    assert not second.acquire()
    assert stream.consumer(1, owner="w2").acquire()
    second.release()
    assert not second.acquire()
    first.release()
    assert second.acquire()


def test_a_writer_that_lost_its_lease_changes_nothing(stream):
    known(stream, A)
    append(stream, (A, 1))
    stale, fresh = stream.consumer(owner="w1"), stream.consumer(owner="w2")
    stale.acquire()
    entries = stale.read_new(10, 0.0)
    stale.release()
    fresh.acquire()
    assert not stale.write_inflight(Inflight("1-0", "1-0", "stale"))
    assert not stale.commit(entries, {A: 1})
    assert fresh.read_inflight() is None
    assert fresh.read_lag().entries == 1
    assert stream.call("read_committed", 0, [A]) == {}


def test_the_lease_of_a_silent_writer_runs_out(stream):
    stream.consumer(owner="w1", lease_s=0.05).acquire()
    successor = stream.consumer(owner="w2")
    deadline = time.monotonic() + 5
    while not successor.acquire():
        assert time.monotonic() < deadline


def test_a_lease_is_kept_by_its_owner_and_never_taken_anew_by_keeping(stream):
    ours, other = stream.consumer(owner="w1"), stream.consumer(owner="w2")
    assert not ours.keep()
    assert ours.acquire()
    assert ours.keep()
    assert not other.keep()
    stream.flush()  # Redis was emptied: what its owner knows may be of another world
    assert not ours.keep()
    assert other.acquire()
    assert not ours.keep()


def test_nobody_commits_without_a_lease(stream):
    assert not stream.consumer().commit([], {A: 1})


def test_lag_counts_what_is_not_committed(stream):
    known(stream, A)
    consumer = stream.consumer()
    empty = consumer.read_lag()
    assert (empty.entries, empty.bytes, empty.oldest_s) == (0, 0, 0.0)
    append(stream, (A, 1), (A, 2))
    lag = consumer.read_lag()
    assert (lag.entries, lag.bytes) == (2, 20)
    assert lag.oldest_s >= 0


def test_a_reader_goes_on_after_the_stream_was_emptied(stream):
    known(stream, A)
    append(stream, (A, 1))
    consumer = stream.consumer()
    consumer.read_new(10, 0.0)
    stream.flush()
    assert consumer.read_pending(10) == []
    known(stream, A)
    append(stream, (A, 1))
    assert [e.seq for e in consumer.read_new(10, 0.0)] == [1]


def test_a_stream_that_is_away_says_so_and_nothing_else(stream):
    consumer = stream.consumer()
    stream.away()
    calls = {
        "append": ([NewEntry(0, A, 1, b"x")],),
        "raise_to": (0, A, 1),
        "read_accepted": (0, A),
        "read_committed": (0, [A]),
        "register_run": ("p", "r", 1),
        "read_registered": ("p", "r"),
        "request_stop": ("p", "r", StopRequest("", "")),
        "read_stops": ([("p", "r")],),
    }
    for method, args in calls.items():
        with pytest.raises(StreamUnavailable):
            stream.call(method, *args)
    for ask in (
        consumer.acquire,
        consumer.keep,
        consumer.release,
        consumer.read_inflight,
        lambda: consumer.write_inflight(Inflight("1-0", "1-0", "t")),
        lambda: consumer.read_range("1-0", "2-0"),
        lambda: consumer.read_pending(1),
        lambda: consumer.read_new(1, 0.01),
        lambda: consumer.commit([], {}),
        consumer.read_lag,
    ):
        with pytest.raises(StreamUnavailable):
            ask()


def test_producers_are_spread_and_always_to_the_same_shard():
    producers = [number.to_bytes(16, "big") for number in range(2_000)]
    shards = [shard_of("p", "r", producer, 4) for producer in producers]
    assert shards == [shard_of("p", "r", producer, 4) for producer in producers]
    assert all(400 < shards.count(shard) < 600 for shard in range(4))
    assert shard_of("p", "r", A, 16) == 15  # fixed for ever


# ── only Redis ─────────────────────────────────────────────────────────────


def test_every_error_of_the_vendor_is_translated():
    kinds = [
        kind
        for _, kind in inspect.getmembers(redis_exceptions, inspect.isclass)
        if issubclass(kind, Exception)
    ]
    assert len(kinds) > 30
    from weir_server.stream.redis.vendor import translated

    for kind in (*kinds, OSError, TimeoutError, ConnectionResetError, asyncio.IncompleteReadError):
        error = kind.__new__(kind)
        with pytest.raises(StreamUnavailable, match="redis"), translated("redis://h"):
            raise error
        assert translate(error, "redis://h").hint


def test_passwords_do_not_show_in_errors():
    error = translate(redis_exceptions.ConnectionError("refused"), "redis://u:secret@host:1/0")
    assert "secret" not in str(error)
    assert "host:1" in str(error)


def test_scripts_are_sent_again_when_redis_forgot_them(redis_server):
    async def scenario():
        appender = RedisAppender(redis_server.settings())
        await appender.raise_to(0, A, 0)
        with redis_server.client() as client:
            client.script_flush()
        results = await appender.append([NewEntry(0, A, seq, b"x") for seq in (1, 2, 3)])
        await appender.close()
        return [result.outcome for result in results]

    assert asyncio.run(scenario()) == [Outcome.OK] * 3


def test_entries_survive_a_killed_redis_up_to_a_common_point(redis_server):
    with redis_server.client() as client:
        client.config_set("appendfsync", "always")

    async def write(first: int):
        appender = RedisAppender(redis_server.settings())
        await appender.raise_to(0, A, 0)
        await appender.append([NewEntry(0, A, seq, b"x") for seq in range(first, first + 50)])
        accepted = await appender.read_accepted(0, A)
        await appender.close()
        return accepted

    assert asyncio.run(write(1)) == 50
    redis_server.kill()
    redis_server.start()
    assert asyncio.run(write(51)) == 100
    consumer = RedisConsumer(redis_server.settings(), 0, owner="w")
    seqs = list(
        itertools.chain.from_iterable(iter(lambda: [e.seq for e in consumer.read_new(30, 0)], []))
    )
    consumer.close()
    assert seqs == list(range(1, 101))


def test_the_number_of_shards_is_fixed_by_the_first_who_starts(redis_server):
    prepare_stream(redis_server.settings(shards=4))
    prepare_stream(redis_server.settings(shards=4))
    with pytest.raises(StartupError, match="set up with 4"):
        prepare_stream(redis_server.settings(shards=8))


def test_a_redis_that_evicts_entries_is_refused(redis_server):
    with redis_server.client() as client:
        client.config_set("maxmemory-policy", "allkeys-lru")
    with pytest.raises(StartupError, match="noeviction"):
        prepare_stream(redis_server.settings())


def test_a_redis_that_hides_its_configuration_is_accepted(redis_server):
    with redis_server.client() as client:
        client.execute_command("ACL", "SETUSER", "weir", "on", ">pw", "~*", "+@all", "-config")
    settings = StreamSettings(url=f"unix://weir:pw@{redis_server.socket}")
    prepare_stream(settings)


def test_a_redis_that_is_not_there_stops_the_start_with_one_line(tmp_path):
    with pytest.raises(StartupError, match="no answer from redis") as caught:
        prepare_stream(StreamSettings(url=f"unix://{tmp_path}/nobody.sock"))
    assert "\n" not in str(caught.value)


def test_a_redis_without_memory_is_away_not_wrong(redis_server):
    with redis_server.client() as client:
        client.config_set("maxmemory", "1")

    async def scenario():
        appender = RedisAppender(redis_server.settings())
        try:
            await appender.raise_to(0, A, 0)
        finally:
            await appender.close()

    with pytest.raises(StreamUnavailable, match="maxmemory"):
        asyncio.run(scenario())


def test_watermarks_are_a_cache_and_do_not_grow_for_ever(redis_server, monkeypatch):
    monkeypatch.setattr("weir_server.stream.redis.consumer.MOST_WATERMARKS", 10)
    consumer = RedisConsumer(redis_server.settings(), 0, owner="w")
    consumer.acquire()
    for number in range(30):
        consumer.commit([], {number.to_bytes(16, "big"): 1})
    consumer.close()
    with redis_server.client() as client:
        assert 1 <= client.hlen("weir:{0}:committed") <= 11


def test_entries_removed_by_hand_do_not_hide_the_pending_ones(redis_server):
    async def fill():
        appender = RedisAppender(redis_server.settings())
        await appender.raise_to(0, A, 0)
        await appender.append([NewEntry(0, A, seq, b"x") for seq in range(1, 6)])
        await appender.close()

    asyncio.run(fill())
    consumer = RedisConsumer(redis_server.settings(), 0, owner="w")
    entries = consumer.read_new(10, 0)
    with redis_server.client() as client:
        client.xdel("weir:{0}:log", *(entry.id for entry in entries[:4]))
    assert [e.seq for e in consumer.read_pending(2)] == [5]
    consumer.close()


@pytest.mark.parametrize("kind", BINARIES)
def test_a_redis_out_of_memory_takes_nothing_more_and_can_still_be_emptied(kind, tmp_path):
    server = RedisServer(find_binary(kind), tmp_path, "--maxmemory", "8mb")
    server.start()

    async def fill_up() -> tuple[int, str]:
        appender = RedisAppender(server.settings(max_bytes=1 << 30))
        seq = await appender.raise_to(0, A, 0)
        try:
            while True:
                (result,) = await appender.append([NewEntry(0, A, seq + 1, b"x" * 10_000, "p")])
                assert result.outcome is Outcome.OK
                seq += 1
        except StreamUnavailable as error:
            return seq, str(error)
        finally:
            await appender.close()

    try:
        accepted, said = asyncio.run(fill_up())
        assert accepted > 100
        assert "maxmemory" in said
        consumer = RedisConsumer(server.settings(), 0, owner="w")  # the first this Redis ever saw
        assert consumer.acquire()
        assert consumer.acquire()
        entries = consumer.read_new(10_000, 0.0)
        assert consumer.write_inflight(Inflight(entries[0].id, entries[-1].id, "token"))
        assert consumer.commit(entries, {A: accepted})
        consumer.close()
        assert asyncio.run(fill_up())[0] > accepted
    finally:
        server.stop()
