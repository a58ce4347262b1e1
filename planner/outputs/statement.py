"""The conditions under which a figure holds: printed wherever a figure is."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from planner.texts import Language, listed, text

if TYPE_CHECKING:
    from planner.scenario import Scenario
    from planner.study import Study


def conditions(study: Study, scenario: Scenario, profile: str, language: Language = "zh") -> str:
    """Return mode, speed, time limit as distance, standard and sources in one sentence."""
    chosen = scenario.profiles[profile]
    has_slope = chosen.slope != "none" and "elevation" in study.grids
    unstated = text("outputs.not_stated", language)
    words = text(
        "outputs.statement",
        language,
        profile=profile_name(profile, language),
        speed=chosen.speed_kph,
        cutoff=scenario.cutoff_min,
        distance=chosen.distance_m(scenario.cutoff_min),
        slope=text("outputs.statement_slope" if has_slope else "outputs.statement_level", language),
        access=chosen.max_access_m,
        standard=_known("standards", scenario.standard, language),
        population=study.metadata.get("population_source") or unstated,
        roads=study.metadata.get("road_source") or unstated,
    )
    words += text(f"outputs.direction_{scenario.direction}", language) + ("。" if language == "zh" else ".")
    share = study.metadata.get("population_covers_share")
    if share is not None:
        words += text("outputs.population_part", language, share=share)
    if scenario.road_changes:
        words += road_changes_in_words(scenario, language)
    if study.metadata.get("is_synthetic"):
        mark = text("outputs.synthetic", language)
        words = (f"【{mark}】" if language == "zh" else f"[{mark}] ") + words
    return words


def road_changes_in_words(scenario: Scenario, language: Language) -> str:
    """Return how many roads the scenario closes, changes and bridges, as one sentence."""
    counts = Counter(change.kind for change in scenario.road_changes)
    said = [text(f"outputs.roads_{kind}", language, n=n) for kind, n in sorted(counts.items())]
    return text("outputs.road_changes", language, changes=listed(said, language))


def profile_name(code: str, language: Language) -> str:
    """Return the profile's name in `language`; its code when the user made it."""
    return _known("terms", code, language)


def tier_name(code: str, language: Language) -> str:
    """Return the name of a tier result (`station`, `any`, `at_least:station`) in `language`."""
    if code.startswith("at_least:"):
        return text("terms.at_least", language, tier=_known("terms", code.removeprefix("at_least:"), language))
    return _known("terms", code, language)


def _known(subject: str, code: str, language: Language) -> str:
    """Return the words for a code that ships with the planner; a user's own code is its name."""
    try:
        return text(f"{subject}.{code}", language)
    except KeyError:
        return code
