"""The ranks of runs, as the api asks about them: put together, compared with each other, or missing."""

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from weir._api_tables import TableKind, check_tables, read_arrow, read_table, shown_as
from weir._api_views import moment
from weir.errors import UsageError
from weir_proto.v1 import ranks_pb2, runs_pb2

if TYPE_CHECKING:
    from weir._api import Api
    from weir._api_run import RunView
    from weir._api_transport import ApiTransport

Over = Literal["ranks", "nodes", "roles", "attempts", "runs", "seeds"]
Reduction = Literal["mean", "sum", "max", "min", "p99", "last", "median", "iqm"]
Interval = Literal["t", "bootstrap"]
_NAMES: Final = ("step_time", "data", "compute", "comm", "watched")


@dataclass(frozen=True)
class Stragglers:
    """Whom the others of a run wait for; the columns of the tables are in docs/ranks.md.

    Attributes:
        metric: Where the times are from; "" when there are none to compare.
        from_times: Whether they are distances between the points' times, not values.
        steps: Steps that at least two ranks of a role logged.
        median_s: Seconds of a usual step.
        lost_s: Seconds lost: over all steps, the slowest minus the median.
        half_life_steps: Of the persistence.
        ranks: A row per role and rank, most lost first.
        nodes: A row per node, most lost first.
        timeline: A row per role and bucket of steps.
    """

    metric: str
    from_times: bool
    steps: int
    median_s: float
    lost_s: float
    half_life_steps: float
    ranks: Any
    nodes: Any
    timeline: Any


@dataclass(frozen=True, slots=True)
class Hang:
    """Ranks that live and make no step.

    Attributes:
        run: `project/run_id`.
        role: Of the ranks.
        title: One line.
        body: What is known, in sentences.
        since: When the last point was logged, UTC.
        step: The highest of any rank.
        suspects: Ranks behind the others; empty when all stopped at the same step.
        nodes: Theirs.
        last_steps: Of every live rank that ever logged.
        silent_s: For how long nothing came.
        limit_s: What was allowed.
    """

    run: str
    role: str
    title: str
    body: str
    since: datetime | None
    step: int
    suspects: tuple[int, ...]
    nodes: tuple[str, ...]
    last_steps: dict[int, int]
    silent_s: float
    limit_s: float


class RanksApi:
    """The part of `Api` that looks at ranks."""

    _transport: "ApiTransport"

    def reduce(
        self,
        runs: "Iterable[RunView | str] | RunView | str",
        metrics: str | Sequence[str],
        *,
        over: Over = "runs",
        by: str | Sequence[str] | None = None,
        reduce: Reduction | None = None,
        interval: Interval = "t",
        quantiles: Sequence[float] = (),
        max_points: int | None = None,
        ranks: int | Sequence[int] | None = None,
        roles: str | Sequence[str] = (),
        x_min: int | None = None,
        x_max: int | None = None,
        as_: TableKind = "pandas",
    ) -> Any:
        """Put values together at the server: mean, spread, interval and extremes of many.

        Args:
            runs: Runs, or their `project/run_id`; at most 1 000.
            metrics: Exact names, at most 1 000.
            over: What is put together: `ranks`, `nodes`, `roles`, `attempts`, `runs`, or `seeds`:
                runs, with a line for those whose config is the same but for what is called a seed.
            by: What has a line of its own: `run`, `role`, `node`, `attempt`, `group`, `job_type`,
                `config.PATH`. `None` = each run; over runs all of them together.
            reduce: What `value` is: `mean`, `sum`, `max`, `min`, `p99`, `last`, `median`, `iqm`.
                `None` = what `define_metric(reduce=…)` said; over runs and seeds the mean.
            interval: `t`: 95 % of the mean, by Student's t; `bootstrap`: of `value`, by resampling.
            quantiles: Between 0 and 1, for columns `q50`, `q99.9` …
            max_points: At most so many buckets of steps per metric; `None` = every step.
            ranks: `None` = all.
            roles: Empty = all.
            x_min: First step.
            x_max: The step to end before.
            as_: What to return.

        Returns:
            One row per metric, line and bucket: `metric` `project` `line` `step` `step_min` `count`
            `value` `mean` `std` `ci_low` `ci_high` `iqm` `min` `min_run_id` `min_rank` `max`
            `max_run_id` `max_rank` `nans` `infs` and the quantiles.
        """
        from weir._api import _refs_of

        check_tables(as_)
        _check_word("over", over, Over)
        _check_word("interval", interval, Interval)
        if reduce is not None:
            _check_word("reduce", reduce, Reduction)
        request = ranks_pb2.ReduceRequest(
            runs=_refs_of(runs),
            metrics=_several(metrics),
            over=over,
            by=[] if by is None else _several(by),
            by_default=by is None,
            reduce=reduce or "",
            interval=interval,
            quantiles=list(quantiles),
            max_points=_positive("max_points", max_points),
            ranks=[ranks] if isinstance(ranks, int) else list(ranks or ()),
            roles=_several(roles),
            x_min=x_min,
            x_max=x_max,
        )
        return read_table(self._transport.reduce(request), as_)

    def rank_nodes(
        self,
        project: str,
        *,
        limit: int = 1_000,
        names: dict[str, Sequence[str]] | None = None,
        as_: TableKind = "pandas",
    ) -> Any:
        """Return which nodes are slow for everyone, over the newest runs of a project.

        One row per node, most slowed down first: `node` `runs` `ranks` `steps` `slowdown` `slowest`
        `slowest_share` `expected_share` `lost_s` `worst_runs`; see docs/ranks.md.

        Args:
            project: Its name.
            limit: At most so many runs, at most 1 000.
            names: `step_time`: metrics that hold the time of a step, instead of the usual names.
            as_: What to return.
        """
        check_tables(as_)
        request = ranks_pb2.RankNodesRequest(
            project=project, limit=_positive("limit", limit), names=_names_message(names)
        )
        return read_table(self._transport.rank_nodes(request), as_)

    def hangs(
        self,
        projects: str | Sequence[str] = (),
        *,
        times: float | None = None,
        floor_s: float | None = None,
    ) -> list[Hang]:
        """Return the running runs whose ranks live but make no step, now.

        Args:
            projects: Empty = all that you may see.
            times: So many usual steps without one are too long; `None` = 10.
            floor_s: And at least so many seconds; `None` = 120.
        """
        request = ranks_pb2.FindHangsRequest(
            projects=_several(projects), times=times or 0, floor_s=floor_s or 0
        )
        return [_hang(each) for each in self._transport.find_hangs(request).hangs]


class RankViews:
    """The part of a `RunView` that looks at its ranks."""

    _api: "Api"

    def reduce(
        self,
        metrics: str | Sequence[str],
        *,
        over: Over = "ranks",
        by: str | Sequence[str] | None = None,
        reduce: Reduction | None = None,
        interval: Interval = "t",
        quantiles: Sequence[float] = (),
        max_points: int | None = None,
        ranks: int | Sequence[int] | None = None,
        roles: str | Sequence[str] = (),
        x_min: int | None = None,
        x_max: int | None = None,
        as_: TableKind = "pandas",
    ) -> Any:
        """Put its ranks together at the server; see `Api.reduce`."""
        return self._api.reduce(
            [self.path],
            metrics,
            over=over,
            by=by,
            reduce=reduce,
            interval=interval,
            quantiles=quantiles,
            max_points=max_points,
            ranks=ranks,
            roles=roles,
            x_min=x_min,
            x_max=x_max,
            as_=as_,
        )

    def list_ranks(self, *, as_: TableKind = "pandas") -> Any:
        """Return who works on it: a row per role and rank.

        `role` `rank` `local_rank` `node` `attempt` `lives` `world_size` `state` `started_unix_us`
        `last_seen_unix_us` `step` `behind` `last_point_unix_us`; see docs/ranks.md.
        """
        check_tables(as_)
        return read_table(self._api._transport.list_ranks(self._ref()), as_)

    def stragglers(
        self,
        metric: str = "",
        *,
        roles: str | Sequence[str] = (),
        half_life_steps: float | None = None,
        max_points: int | None = None,
        x_min: int | None = None,
        x_max: int | None = None,
        names: dict[str, Sequence[str]] | None = None,
        as_: TableKind = "pandas",
    ) -> Stragglers:
        """Return whom its ranks wait for.

        Args:
            metric: What holds the time of a step; "" = found by name (`step_time_s` …), else the
                distances between the points' times.
            roles: Empty = all; ranks are compared within their role.
            half_life_steps: Of the persistence; `None` = 100.
            max_points: Buckets of the timeline; `None` = 200.
            x_min: First step.
            x_max: The step to end before.
            names: Metrics to look for instead of the usual ones: by `step_time`, `data`,
                `compute`, `comm`.
            as_: What its tables are.
        """
        check_tables(as_)
        request = ranks_pb2.ReadStragglersRequest(
            run=self._ref(),
            metric=metric,
            roles=_several(roles),
            half_life_steps=half_life_steps or 0,
            max_points=_positive("max_points", max_points),
            x_min=x_min,
            x_max=x_max,
            names=_names_message(names),
        )
        told = self._api._transport.read_stragglers(request)
        tables = (told.ranks, told.nodes, told.timeline)
        return Stragglers(
            told.metric,
            told.from_times,
            told.steps,
            told.median_s,
            told.lost_s,
            told.half_life_steps,
            *(shown_as(read_arrow(io.BytesIO(each)), as_) for each in tables),
        )

    def divergence(
        self,
        metrics: str | Sequence[str] = (),
        *,
        window_steps: int | None = None,
        threshold: float | None = None,
        as_: TableKind = "pandas",
    ) -> Any:
        """Return which ranks left the others, and the first NaN and infinity, by step.

        `kind` (diverged, nan, inf, -inf) `metric` `role` `rank` `node` `step` `last_step` `z`
        `value` `others` `ranks` `over`; see docs/ranks.md.

        Args:
            metrics: Empty = those called like loss and gradient norm; NaN of all metrics.
            window_steps: Logged steps that are judged together; `None` = 20.
            threshold: Robust z that a window's median must pass; `None` = 8.
            as_: What to return.
        """
        check_tables(as_)
        request = ranks_pb2.ReadDivergenceRequest(
            run=self._ref(),
            metrics=_several(metrics),
            window_steps=_positive("window_steps", window_steps),
            threshold=threshold or 0,
        )
        return read_table(self._api._transport.read_divergence(request), as_)

    def hangs(self, *, times: float | None = None, floor_s: float | None = None) -> list[Hang]:
        """Return what of it hangs now, by role; see `Api.hangs`."""
        found = self._api.hangs(self._ref().project, times=times, floor_s=floor_s)
        return [each for each in found if each.run == self.path]

    @property
    def path(self) -> str:
        """What `Api.run` takes: `project/id`."""
        raise NotImplementedError

    def _ref(self) -> runs_pb2.RunRef:
        raise NotImplementedError


def _hang(message: ranks_pb2.Hang) -> Hang:
    return Hang(
        f"{message.run.project}/{message.run.run_id}",
        message.role,
        message.title,
        message.body,
        moment(message.since_unix_us),
        message.step,
        tuple(message.suspects),
        tuple(message.nodes),
        dict(sorted(message.last_steps.items())),
        message.silent_s,
        message.limit_s,
    )


def _names_message(names: dict[str, Sequence[str]] | None) -> ranks_pb2.RankNames:
    for name in names or {}:
        if name not in _NAMES:
            raise UsageError(f"no such names {name!r}", hint="one of " + ", ".join(_NAMES))
    return ranks_pb2.RankNames(**{name: _several(held) for name, held in (names or {}).items()})


def _several(names: str | Sequence[str]) -> list[str]:
    return [names] if isinstance(names, str) and names else list(names)


def _positive(name: str, number: int | None) -> int:
    if number is not None and number < 1:
        raise UsageError(f"{name} is {number}", hint="1 or more, or None")
    return number or 0


def _check_word(name: str, word: str, words: Any) -> None:
    if word not in get_args(words):
        raise UsageError(f"{name} is {word!r}", hint="one of " + ", ".join(get_args(words)))
