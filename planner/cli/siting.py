"""The command that chooses sites: every objective and demand of `Wishes` as an option; ctrl-C keeps the best plan."""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING, Annotated, Any

import typer

from planner.cli.shell import (
    MAX_ROWS,
    AsJson,
    Bars,
    Cutoff,
    ScenarioFile,
    StudyPath,
    app,
    chosen_scenario,
    conditions_of,
    language,
    made_reach,
    opened_study,
    print_json,
    print_table,
    records_of,
    worded,
)
from planner.errors import CancelledError, InputError
from planner.progress import Standing
from planner.texts import text
from planner.wishes import OBJECTIVES, Quota

if TYPE_CHECKING:
    from types import FrameType

    from planner.plan.proposals import Proposals
    from planner.progress import Progress
    from planner.wishes import Wishes

_QUOTA_PARTS = 4


@app.command()
def site(
    study: StudyPath,
    objective: Annotated[
        str | None,
        typer.Option(help="max-cover, backup-cover, min-sites, p-median, p-center or least-excess"),
    ] = None,
    n_new: Annotated[int | None, typer.Option("--n-new", "-k", help="Most new places; 10 without a budget")] = None,
    budget: Annotated[float | None, typer.Option(help="Most cost, in the unit of the candidates' cost")] = None,
    cover_share: Annotated[
        float | None, typer.Option(help="min-sites: share of the coverable people to cover, such as 0.95")
    ] = None,
    by_cost: Annotated[bool, typer.Option("--by-cost", help="min-sites: cheapest instead of fewest")] = False,
    group_weight: Annotated[
        list[str] | None, typer.Option(help="GROUP=FACTOR, such as relocated=2; may be repeated")
    ] = None,
    lock: Annotated[list[str] | None, typer.Option(help="Candidate that must be opened; may be repeated")] = None,
    veto: Annotated[list[str] | None, typer.Option(help="Candidate that must not be opened; may be repeated")] = None,
    may_close: Annotated[list[str] | None, typer.Option(help="Existing place that may close; may be repeated")] = None,
    may_move: Annotated[
        list[str] | None, typer.Option(help="Existing place that may close for one more new one; may be repeated")
    ] = None,
    must_serve: Annotated[
        list[str] | None, typer.Option(help="Settlement (id or name) that must be within the limit, or all")
    ] = None,
    quota: Annotated[
        list[str] | None,
        typer.Option(help="LABEL:VALUE:MIN:MAX, such as town:Xihe:1:2; label town, village, tier or way"),
    ] = None,
    one_per_village: Annotated[
        bool, typer.Option("--one-per-village", help="At most one new place in each village")
    ] = False,
    one_per_town: Annotated[bool, typer.Option("--one-per-town", help="At most one new place in each town")] = False,
    spacing_m: Annotated[
        float | None, typer.Option(help="Two new places are at least so many metres apart, in a straight line")
    ] = None,
    capacities: Annotated[
        bool, typer.Option("--capacities", help="Candidates serve no more people than their capacity")
    ] = False,
    fair_by: Annotated[str | None, typer.Option(help="town or village: lift the worst-served one first")] = None,
    phases: Annotated[int | None, typer.Option(help="Spread the plan over so many years")] = None,
    year_n_new: Annotated[
        list[int] | None, typer.Option(help="New places of one year, in order; once for each year")
    ] = None,
    year_budget: Annotated[
        list[float] | None, typer.Option(help="Cost of one year, in order; once for each year")
    ] = None,
    curve: Annotated[int | None, typer.Option(help="Also the best plan of 0, 1, ... so many new places")] = None,
    time_limit: Annotated[float | None, typer.Option(help="Seconds to search; ctrl-C stops earlier")] = None,
    gap: Annotated[float | None, typer.Option(help="Share of gap that is good enough, such as 0.01")] = None,
    profile: Annotated[str | None, typer.Option(help="Profile")] = None,
    cutoff: Cutoff = None,
    tier: Annotated[str | None, typer.Option(help="Tier whose coverage counts")] = None,
    scenario: ScenarioFile = None,
    as_json: AsJson = False,
) -> None:
    """Choose the best sites for what is asked, with a bound that proves how good they are and why others lost."""
    from planner.outputs.proof import told
    from planner.plan.proposals import propose

    opened = opened_study(study)
    base = chosen_scenario(opened, scenario, main_profile=profile, cutoff_min=cutoff, main_tier=tier)
    years = year_n_new or year_budget
    wishes = base.siting.with_choices(
        objective=_one_of(objective),
        n_new=n_new,
        budget=budget,
        cover_share=cover_share,
        by_cost=by_cost or None,
        group_factors=_factors(group_weight),
        lock_in=lock,
        lock_out=veto,
        closable=may_close,
        movable=may_move,
        must_serve=must_serve,
        quotas=None if quota is None else [_quota(each) for each in quota],
        one_per=[*["village"] * one_per_village, *["town"] * one_per_town] or None,
        spacing_m=spacing_m,
        has_capacities=capacities or None,
        fair_by=fair_by,
        phases=len(years) if phases is None and years else phases,
        phase_n_new=year_n_new,
        phase_budgets=year_budget,
        curve=curve,
        time_limit_s=time_limit,
        gap_share=gap,
    )
    reach = made_reach(opened, base.with_choices(profiles=[base.main_profile], siting=wishes))
    with StoppableBars() as bars:
        proposals = propose(reach, progress=bars)
    if as_json:
        print_json(told(proposals, language()))
    else:
        _print(proposals, wishes, conditions_of(reach))


def _print(proposals: Proposals, wishes: Wishes, conditions: str) -> None:
    from planner.outputs.proof import proof_sentence, rejected_in_words, siting_rows, years_in_words

    columns = [
        "rank", *["year"] * bool(wishes.phases), "candidate_id", "name", "marginal_people", "total_people", "towns",
        "settlements", "substitute_id", "substitute_loss",
    ]  # fmt: skip
    print_table(conditions, worded(proposals.sites), columns)
    if len(proposals.phases):
        columns = ["year", "sites", "cost", "value", "gain", "best_after_years_before", "certified_free_bound"]
        print_table(text("siting.phases", language()), records_of(years_in_words(proposals, language())), columns)
    if len(proposals.curve):
        columns = ["n_new", "value", "gain", "certified_bound", "solver_bound"]
        print_table(text("siting.curve", language()), records_of(proposals.curve), columns)
    rejected = records_of(rejected_in_words(proposals, language()))
    if rejected:
        title = text("siting.rejected", language(), n=len(rejected), shown=min(MAX_ROWS, len(rejected)))
        print_table(title, rejected[:MAX_ROWS], ("candidate_id", "name", "why"))
    print_table(text("siting.overview", language()), siting_rows(proposals, language()), ("item", "value"))
    typer.echo(proof_sentence(proposals.summary(), language()))


def _one_of(objective: str | None) -> str | None:
    if objective is not None and objective not in OBJECTIVES:
        raise InputError(f"'{objective}' is no objective: {', '.join(OBJECTIVES)}.")
    return objective


def _factors(words: list[str] | None) -> dict[str, float] | None:
    if words is None:
        return None
    factors = {}
    for word in words:
        group, equals, number = word.partition("=")
        if not equals or not _is_number(number):
            raise InputError(f"'{word}' is no group weight. Write GROUP=FACTOR, such as --group-weight relocated=2.")
        factors[group.strip()] = float(number)
    return factors


def _quota(word: str) -> Quota:
    """Return the quota of `LABEL:VALUE:MIN:MAX`; MIN or MAX may be blank, and VALUE may hold colons."""
    label, _, rest = word.partition(":")
    parts = [label, *rest.rsplit(":", 2)]
    blank_or_number = all(not part.strip() or part.strip().isdecimal() for part in parts[2:])
    if len(parts) != _QUOTA_PARTS or not parts[1].strip() or not blank_or_number:
        raise InputError(f"'{word}' is no quota. Write LABEL:VALUE:MIN:MAX, such as --quota town:Xihe:1:2.")
    least, most = (part.strip() for part in parts[2:])
    return Quota(label.strip(), parts[1].strip(), int(least or 0), int(most) if most else None)


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


class StoppableBars(Bars):
    """Bars that show value, bound and gap, and that ctrl-C stops at the next report: the best plan so far is kept.

    A second ctrl-C ends the program as usual.
    """

    def __init__(self) -> None:
        super().__init__()
        self._is_stopped = False
        self._former: Any = None

    def __enter__(self) -> Progress:
        # Only the main thread may listen to signals.
        if threading.current_thread() is threading.main_thread():
            self._former = signal.signal(signal.SIGINT, self._stop)
        return super().__enter__()

    def __exit__(self, *what: object) -> None:
        super().__exit__(*what)
        if self._former is not None:
            signal.signal(signal.SIGINT, self._former)

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self._is_stopped = True
        signal.signal(signal.SIGINT, signal.default_int_handler)

    def update(self, done: float, total: float, message: str = "") -> None:
        """Move the bar; raises `CancelledError` after ctrl-C."""
        if isinstance(message, Standing):
            gap = f"{message.gap_share:.2%}" if message.gap_share == message.gap_share else "-"
            message = text(
                "siting.standing", language(), value=_round(message.value), bound=_round(message.bound), gap=gap
            )
        super().update(done, total, text("siting.stopping", language()) if self._is_stopped else message)
        if self._is_stopped:
            raise CancelledError("Cancelled.")


def _round(value: float) -> str:
    return f"{value:,.0f}" if abs(value) < float("inf") else "-"
