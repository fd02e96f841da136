"""Rules through a real gateway: the Api, the commands, who may what, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from click.testing import CliRunner

import weir
from tests.integration.fixtures_gateway import RunningGateway
from tests.integration.fixtures_rules import RulesWorld
from weir._rules_command import rules
from weir.errors import Forbidden, Rejected, UsageError
from weir_server.clock import SystemClock
from weir_server.gateway import rules as service
from weir_server.gateway.rules import RulesService, service_of
from weir_server.gateway.tokens import Role, create_token
from weir_server.stream.memory import MemoryStream
from weir_store.errors import InvalidQuery
from weir_store.rules.ask import Asking, limits_of
from weir_store.rules.records import (
    Action,
    ActionKind,
    Delivery,
    DeliveryState,
    Group,
    GroupState,
    Health,
    State,
)
from weir_store.rules.templates import TEMPLATES
from weir_store.sql.base import LimitReached

HOOK = "https://127.0.0.1.nip.example/very-secret"
NAN = {"name": "nan", "sql": "SELECT nan", "actions": [{"tag": "bad"}]}


class Asked:
    def __init__(self, folder: Path) -> None:
        file = folder / "tokens.toml"
        self.tokens = {
            "reader": create_token(file, name="r", role=Role.READER, projects=["p"]),
            "writer": create_token(file, name="w", role=Role.WRITER, projects=["p"]),
            "stranger": create_token(file, name="s", role=Role.WRITER, projects=["other"]),
        }
        self.world = RulesWorld()

        def services(auth: Any) -> list[Any]:
            asking = Asking(self.world.sql, limits_of(1.0, 1 << 30, 1_000))
            made = RulesService(
                self.world.reader, self.world.editor, asking, auth, SystemClock(), anywhere=False
            )
            return [service_of(made)]

        self.gateway = RunningGateway(
            MemoryStream(shards=1, max_bytes=1 << 20).appender,
            store=self.world.memory, services=services, tokens_file=file,
        )  # fmt: skip

    def api(self, who: str = "writer") -> weir.Api:
        return weir.Api(self.gateway.address, self.tokens[who])


@pytest.fixture
def asked(tmp_path: Path) -> Iterator[Asked]:
    made = Asked(tmp_path)
    yield made
    made.gateway.stop()


@pytest.fixture
def of(asked: Asked):
    with asked.api() as api:
        yield api.rules("p")


@pytest.fixture
def type_in(asked: Asked, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    monkeypatch.setenv("WEIR_TOKEN", asked.tokens["writer"])

    def run(*words: str, code: int = 0) -> str:
        done = CliRunner(env={"COLUMNS": "200"}).invoke(
            rules, [*words, "--server", asked.gateway.address]
        )
        if code:
            assert done.exit_code, done.output
            return f"{done.output}{done.exception}"
        assert done.exit_code == 0, f"{done.output}{done.exception!r}"
        return done.output

    return run


# ── the Api ──────────────────────────────────────────────────────────────────


def test_a_rule_is_made_changed_shown_and_deleted(of, asked: Asked) -> None:
    assert of.put(NAN, dry_run=True).outcome == "made"
    assert of.list() == []
    assert of.put(NAN).outcome == "made"
    again = of.put(NAN)
    assert (again.outcome, again.version, again.changes) == ("unchanged", 1, ())
    changed = of.put({**NAN, "every": "1m"})
    assert (changed.outcome, changed.version) == ("changed", 2)
    assert changed.changes == (("every", "30", "60"),)
    (rule,) = of.list()
    assert (rule.name, rule.state, rule.by, rule.sql) == ("nan", "new", "w", "SELECT nan")
    assert rule.definition["every"] == 60
    of.delete("nan")
    assert of.list() == []
    for call in (lambda: of.delete("nan"), lambda: of.get("nan"), lambda: of.test("nan")):
        with pytest.raises(Rejected, match="there is no rule 'nan'"):
            call()


def test_a_rule_shows_its_state_its_groups_and_what_it_costs(of, asked: Asked) -> None:
    of.put(NAN)
    (stored,) = asked.world.reader.list_rules("p")
    states = [
        GroupState(Group("b"), State.RESOLVED, 1),
        GroupState(Group("a", 3, "n1"), State.FIRING, 5, 1.5, "m", uuid4(), told=True),
    ]
    asked.world.editor.put_states(stored, states, 7)
    health = Health("p", stored.rule_id, 1, 8, 0.25, 2, 1, False, "", 0, 30.0, 9, 1.5)
    asked.world.editor.put_health([health])
    (rule,) = of.list()
    assert (rule.state, rule.firing, rule.evaluations, rule.spent_s) == ("firing", 1, 9, 1.5)
    assert [(group.run_id, group.rank, group.state) for group in rule.groups] == [
        ("a", 3, "firing"),
        ("b", None, "resolved"),
    ]
    assert of.get("nan", groups=1).groups_total == 2
    asked.world.editor.put_health([Health("p", stored.rule_id, 1, 9, error="no such column")])
    assert (of.get("nan").state, of.get("nan").error) == ("broken", "no such column")


def test_a_test_shows_what_would_fire_and_tells_nobody(of, asked: Asked) -> None:
    asked.world.sql.answers["SELECT nan"] = [{"run_id": f"r{n}", "value": n} for n in range(5)]
    found = of.test(NAN, limit=2)
    assert ([each.run_id for each in found.found], found.total) == (["r0", "r1"], 5)
    of.put(NAN)
    assert of.test("nan").total == 5
    assert asked.world.reader.list_alerts("p") == []
    assert asked.world.reader.list_deliveries("p") == []


def test_what_can_never_work_is_refused_before_it_is_stored(of, asked: Asked) -> None:
    asked.world.sql.answers["SELECT bad"] = InvalidQuery("there is no table 'rnus'")
    for definition, told in (
        ({"name": "x", "sql": "SELECT bad"}, "rule x: there is no table 'rnus'"),
        ({"name": "x", "template": "nana"}, "did you mean nan"),
        ({"name": "x", "sql": "SELECT 1", "actions": [{"webhook": "ftp://x"}]}, "no address"),
        ({"name": "x", "sql": "SELECT 1", "actions": [{"slack": "http://127.0.0.1/x"}]}, "must not go"),
        ({"name": "x", "sql": "SELECT 1", "actions": [{"discord": "http://169.254.169.254/"}]}, "must not go"),
    ):  # fmt: skip
        with pytest.raises(Rejected, match=told):
            of.put(definition)
    with pytest.raises(UsageError, match="no definition"):
        of.put({"name": object()})
    assert of.list() == []


def test_a_rule_that_is_only_slow_is_taken(of, asked: Asked) -> None:
    asked.world.sql.answers["SELECT nan"] = LimitReached("over 10 s")
    assert of.put(NAN).outcome == "made"


def test_a_project_has_so_many_rules_and_no_more(
    of, asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "MOST_RULES", 2)
    for name in "ab":
        of.put({**NAN, "name": name})
    with pytest.raises(Rejected, match="at most 2"):
        of.put({**NAN, "name": "c"})
    of.put({**NAN, "name": "b", "every": "1m"})


def test_secrets_are_answered_to_nobody(of, asked: Asked) -> None:
    of.put({**NAN, "actions": [{"webhook": HOOK, "secret": "hush"}, {"slack": HOOK}]})
    said = json.dumps([rule.definition for rule in of.list()])
    assert "nip.example" in said
    assert "hush" not in said
    assert "very-secret" not in said
    changed = of.put({**NAN, "actions": [{"webhook": HOOK, "secret": "other"}]})
    assert "hush" not in str(changed)


def test_readers_read_and_strangers_do_not(asked: Asked) -> None:
    with asked.api() as writer:
        writer.rules("p").put(NAN)
    with asked.api("reader") as api:
        of = api.rules("p")
        assert [rule.name for rule in of.list()] == ["nan"]
        assert of.alerts() == []
        assert of.deliveries() == []
        assert of.test("nan").total == 0
        for call in (
            lambda: of.put(NAN),
            lambda: of.delete("nan"),
            lambda: of.retry(str(uuid4())),
        ):
            with pytest.raises(Forbidden):
                call()
    with asked.api("stranger") as api:
        of = api.rules("p")
        for call in (of.list, of.alerts, of.deliveries, lambda: of.put(NAN)):
            with pytest.raises(Forbidden):
                call()


def a_delivery(asked: Asked, **more: Any) -> Delivery:
    (rule,) = asked.world.reader.list_rules("p")
    fields = {
        "project": "p", "delivery_id": uuid4(), "rule_id": rule.rule_id, "rule": rule.name,
        "alert_id": uuid4(), "run_id": "a", "action": Action(ActionKind.SLACK, HOOK),
        "payload": {"title": "t"}, "at_unix_us": 5, "state": DeliveryState.DEAD, "tries": 5,
        "problem": "answered with status 500",
    }  # fmt: skip
    made = Delivery(**{**fields, **more})
    asked.world.editor.put_deliveries([made])
    return made


def test_dead_deliveries_are_listed_and_retried(of, asked: Asked) -> None:
    of.put(NAN)
    dead = a_delivery(asked)
    done = a_delivery(asked, state=DeliveryState.DELIVERED, at_unix_us=6)
    (found,) = of.deliveries(states=["dead"])
    assert (found.problem, found.title) == ("answered with status 500", "t")
    assert "very-secret" not in found.target
    assert len(of.deliveries()) == 2
    again = of.retry(found.delivery_id)
    assert (again.state, again.tries) == ("waiting", 0)
    assert [d.delivery_id for d in of.deliveries(states=["waiting"])] == [str(dead.delivery_id)]
    for wrong, told in (
        (str(done.delivery_id), "is delivered"),
        (str(uuid4()), "no delivery"),
        ("x", "no id"),
    ):
        with pytest.raises(Rejected, match=told):
            of.retry(wrong)
    with pytest.raises(Rejected, match="no delivery is 'lost'"):
        of.deliveries(states=["lost"])
    with pytest.raises(Rejected, match="at most 10000"):
        of.deliveries(limit=20_000)


def test_deleting_a_rule_ends_its_states_and_what_waits(of, asked: Asked) -> None:
    of.put(NAN)
    (rule,) = asked.world.reader.list_rules("p")
    asked.world.editor.put_states(rule, [GroupState(Group("a"), State.FIRING, 1)], 1)
    a_delivery(asked, state=DeliveryState.WAITING)
    of.delete("nan")
    assert asked.world.reader.list_states("p", rule.rule_id) == []
    (given_up,) = of.deliveries()
    assert (given_up.state, given_up.problem) == ("dead", "w deleted the rule")


# ── files and commands ───────────────────────────────────────────────────────

FILE = """
project: p
rules:
  - name: nan
    template: nan
    with: {metric: "%loss%"}
    every: 30s
    actions: [{tag: bad}, {stop: true}]
  - name: own
    sql: SELECT own
    for: 5m
"""


def test_rules_are_applied_from_a_file_twice_is_once_and_the_diff_is_shown(
    type_in, asked: Asked, tmp_path: Path
) -> None:
    file = tmp_path / "rules.yaml"
    file.write_text(FILE)
    assert "2 of 2 would change" in type_in("apply", str(file), "--dry-run")
    assert asked.world.reader.list_rules() == []
    said = type_in("apply", str(file))
    assert "+ p/nan made" in said
    assert "0 of 2 changed" in type_in("apply", str(file))
    file.write_text(FILE.replace("30s", "1m"))
    said = type_in("apply", str(file))
    assert "~ p/nan changed" in said
    assert "every: 30 → 60" in said
    assert "1 of 2 changed" in said


def test_prune_deletes_what_no_file_has_and_only_there(
    type_in, asked: Asked, tmp_path: Path
) -> None:
    asked.world.put("p", "old")
    asked.world.put("other", "old")
    (tmp_path / "a.yaml").write_text(FILE)
    assert "- p/old deleted" in type_in("apply", str(tmp_path), "--prune", "--dry-run")
    assert len(asked.world.reader.list_rules("p")) == 1
    type_in("apply", str(tmp_path), "--prune")
    assert [rule.name for rule in asked.world.reader.list_rules("p")] == ["nan", "own"]
    assert [rule.name for rule in asked.world.reader.list_rules("other")] == ["old"]


def test_one_wrong_rule_in_a_folder_changes_nothing(type_in, asked: Asked, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(FILE)
    (tmp_path / "b.json").write_text(
        '{"project": "p", "rules": [{"name": "x", "template": "nana"}]}'
    )
    assert "did you mean nan" in type_in("apply", str(tmp_path), code=1)
    assert asked.world.reader.list_rules() == []


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("a.yaml", "a: [", "is no YAML"),
        ("a.json", "{", "is no JSON"),
        ("a.yaml", "rules: []\nrulez: 1", "holds no rules"),
        ("a.yaml", "just text", "holds no rules"),
        ("a.yaml", "rules: [{name: x}]", "names no project"),
        ("a.yaml", "project: p\nrules: [text]", "a rule is a mapping"),
        ("a.yaml", "project: p\nrules: [{name: x, sql: s}, {name: x, sql: t}]", "rule x is in"),
        ("a.yaml", "project: p\nrules: [{name: x, sql: s, actions: [{slack: $NOT_THERE_X}]}]",
         "not in the environment"),
        ("a.yaml", "!!python/object/apply:os.system ['true']", "is no YAML"),
        ("a.yaml", "\udcff", "cannot read"),
    ],
)  # fmt: skip
def test_a_file_that_is_none_says_which_and_why(
    type_in, tmp_path: Path, name: str, text: str, told: str
) -> None:
    (tmp_path / name).write_text(text, errors="surrogateescape")
    assert told in type_in("apply", str(tmp_path / name), code=1)


def test_secrets_may_come_from_the_environment(
    type_in, asked: Asked, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_HOOK", HOOK)
    text = "rules: [{name: x, sql: SELECT x, actions: [{webhook: '${MY_HOOK}', secret: $MY_HOOK}]}]"
    (tmp_path / "a.yaml").write_text(text)
    type_in("apply", str(tmp_path / "a.yaml"), "--project", "p")
    (rule,) = asked.world.reader.list_rules("p")
    assert rule.definition.actions == (Action(ActionKind.WEBHOOK, HOOK, HOOK),)


def test_the_commands_show_what_there_is(type_in, asked: Asked, tmp_path: Path) -> None:
    assert "no rules in p" in type_in("list", "p")
    (tmp_path / "a.yaml").write_text(FILE)
    type_in("apply", str(tmp_path))
    (nan, _) = asked.world.reader.list_rules("p")
    state = GroupState(Group("run9", 3), State.FIRING, 1, 1.5, "m", uuid4(), told=True)
    asked.world.editor.put_states(nan, [state], 7)
    asked.world.editor.put_health([Health("p", nan.rule_id, 1, 8, 0.2, 1, 1, every_s=30)])
    listed = type_in("list", "p")
    assert "firing" in listed
    assert "own" in listed
    assert "run9" in type_in("show", "p/nan")
    asked.world.sql.answers["SELECT own"] = [{"run_id": "r7"}]
    assert "r7" in type_in("test", "p/own")
    assert "1 found" in type_in("test", "p/own", "--file", str(tmp_path / "a.yaml"))
    assert json.loads(type_in("list", "p", "--json"))[0]["name"] == "nan"
    dead = a_delivery_of(asked)
    assert str(dead.delivery_id) in type_in("deliveries", "p", "--state", "dead")
    assert "1 will be tried again" in type_in("retry", "p", "--dead")
    assert "name deliveries" in type_in("retry", "p", code=1)
    assert "names no rule" in type_in("show", "nan", code=1)
    assert "deleted p/nan" in type_in("delete", "p/nan")


def a_delivery_of(asked: Asked) -> Delivery:
    rule = asked.world.reader.list_rules("p")[0]
    made = Delivery(
        "p", uuid4(), rule.rule_id, rule.name, uuid4(), "a", Action(ActionKind.TAG, "t"),
        {"title": "t"}, 5, DeliveryState.DEAD, 5, "no",
    )  # fmt: skip
    asked.world.editor.put_deliveries([made])
    return made


def test_every_template_is_listed_with_its_parameters(type_in, asked: Asked) -> None:
    listed = type_in("templates")
    assert all(name in listed for name in TEMPLATES)
    shown = type_in("templates", "divergence")
    assert "least_points" in shown
    assert "SELECT run_id" in shown
    assert "no template" in type_in("templates", "nothing", code=1)
