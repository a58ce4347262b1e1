"""In which frame coordinates are: ranked hypotheses with their evidence, and whether one of them is beyond doubt.

What speaks for a frame: the range and the digits of the numbers, the zone before an easting, the share of the points
that fall into the county, and how near the points come to roads. A wrong frame moves the whole cloud, most often by 50
to 1,200 m, so that only the right one brings it back to the roads it was drawn along.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from planner.crs import WGS84, parse_crs, suggest_working_crs, transform
from planner.inputs.frames.residuals import registration, road_fits
from planner.inputs.frames.shifts import in_shifted_area
from planner.inputs.frames.systems import (
    BD09,
    BD09MC,
    CGCS2000,
    GCJ02,
    PACKED,
    WEB_MERCATOR,
    convert,
    frame_name,
    meridian_frame,
    old_datum,
    zone_frame,
)
from planner.inputs.frames.to_study import OUTSIDE_TOLERANCE_M, county_outline
from planner.texts import Language, text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

    from planner.study import Study

    Floats = NDArray[np.float64]
    _There = Callable[[Floats, Floats], NDArray[np.bool_]]

MAX_POINTS = 200
"""Points looked at, evenly taken from the file: more do not make the answer surer, only slower."""
UNLIKELY = 1e-3
"""A declared frame with less of the evidence than this is not taken without a question."""
_UNLIKELY_OLD = 0.05
MOSTLY = 0.5
"""A frame in which fewer of the points fall where the study is, is none of them."""

_LARGEST_DEGREES = 180.0
_MAX_COORDINATE = 1e9
# Where eastings and northings of China lie without and behind a zone's number, with room for neighbours.
_EASTINGS, _NORTHINGS = (1e5, 9e5), (0.0, 1e7)
# Nobody lives nearer to the poles, where planes of web maps put what is none of theirs.
_MERCATOR_LAT = 80.0
# Web Mercator ends here, east and north.
_MERCATOR_M = 20_037_508.35
_SAME_PLACE_M = 3.0
# The share of random decimals that could be minutes, or seconds: both numbers of a point have both.
_MAY_BE_SIXTIETHS = 0.6**4
_MIN_PACKED_DECIMALS = 4
# A share of points inside is worth this power: one point in twenty outside halves what a frame has for it.
_INSIDE_POWER = 13.5
# What "beyond doubt" asks for: enough points, nearly all of them where the study is, no other frame that chance could
# have put behind, and no place within 1,500 m to which the whole cloud would better be moved.
_ENOUGH_POINTS = 8
_NEARLY_ALL = 0.95
_DOUBT = 1e-4
_MAX_SHARE_BETTER = 0.002
_MAX_BEHIND_T = 1.5


@dataclass(frozen=True)
class Ground:
    """What is known of the place: the study's CRS, its county (or None) and its road lines (or None) in that CRS."""

    crs: str
    county: shapely.Geometry | None = None
    roads: NDArray[np.object_] | None = None


@dataclass(frozen=True)
class Evidence:
    """One reason for or against a frame, as a code with its values; words stand in `texts/frames.toml`."""

    code: str
    values: Mapping[str, Any] = field(default_factory=dict)

    def words(self, language: Language = "zh") -> str:
        """The reason as a sentence."""
        return text(f"frames.{self.code}", language, **self.values)


@dataclass(frozen=True)
class Hypothesis:
    """One frame that coordinates may be in.

    Attributes
    ----------
    frame : as `parse_frame` takes it.
    is_swapped : the first number of each pair is the northing or latitude.
    confidence : 0 to 1, how much of the evidence is for it; all hypotheses together have at most 1.
    evidence : what was seen.
    same_as : frames in which the numbers mean the same place within three metres.
    inside_share : share of the points that fall where the study is, NaN where nothing is known of it.
    road_m : median distance to the nearest road in metres, NaN without roads.
    is_certain : nothing else that was tried is left; never set for a frame that the file itself says it is in.
    """

    frame: str
    is_swapped: bool
    confidence: float
    evidence: tuple[Evidence, ...] = ()
    same_as: tuple[str, ...] = ()
    inside_share: float = float("nan")
    road_m: float = float("nan")
    is_certain: bool = False

    @property
    def frames(self) -> tuple[str, ...]:
        """The frame and those that mean the same."""
        return (self.frame, *self.same_as)

    def words(self, language: Language = "zh") -> str:
        """The hypothesis with its evidence in one line."""
        record = self.record(language)
        values = {"name": record["name"], "share": f"{self.confidence:.0%}", "reasons": record["evidence"]}
        return text("frames.line", language, **values)

    def record(self, language: Language = "zh") -> dict[str, Any]:
        """The hypothesis as a plain record: frame, name, is_swapped, confidence_share, is_certain, evidence."""
        name = text("frames.swapped" if self.is_swapped else "frames.plain", language, name=frame_name(self.frame))
        reasons = text("frames.joint", language).join(item.words(language) for item in self.evidence)
        return {
            "frame": self.frame, "name": name, "is_swapped": self.is_swapped, "same_as": list(self.same_as),
            "confidence_share": self.confidence, "is_certain": self.is_certain, "evidence": reasons,
        }  # fmt: skip


@dataclass(frozen=True)
class _Reading:
    """One way to read the numbers: a frame and an order, what it makes of them, and what the numbers say of it."""

    frame: str
    is_swapped: bool
    weight: float
    evidence: tuple[Evidence, ...]
    x: Floats = field(default_factory=lambda: np.empty(0))
    y: Floats = field(default_factory=lambda: np.empty(0))
    same_as: tuple[str, ...] = ()
    inside_share: float = float("nan")


def study_ground(study: Study) -> Ground:
    """Return what a study knows of its place: its county's outline and its roads, where they were imported."""
    roads = np.asarray(study.table("roads").geometry.array, dtype=object) if study.has("roads") else None
    return Ground(study.crs, county_outline(study), roads)


def frame_hypotheses(
    x: ArrayLike, y: ArrayLike, ground: Ground | None = None, declared: str | None = None
) -> list[Hypothesis]:
    """Return the frames in which coordinates may be, likeliest first; none where no usual frame fits.

    Parameters
    ----------
    x, y : the first and the second number of each pair as they stand in the file, float[n]; NaN is passed over.
    ground : of the study; None where there is none, as for a file that is only looked at.
    declared : the frame that the file says it is in, which may be wrong.
    """
    x, y = _sample(x, y)
    if not len(x):
        return []
    crs, is_there = WGS84 if ground is None else ground.crs, _whereabouts(ground)
    placed = [_placed(reading, x, y, crs, is_there) for reading in _readings(x, y, ground, declared)]
    readings = _distinct(placed, declared)
    readings = [reading for reading in readings if not reading.inside_share < MOSTLY and reading.weight > 0.0]
    if not readings:
        return []
    return _ranked(readings, ground, declared)


def certain_frame(hypotheses: Sequence[Hypothesis]) -> Hypothesis | None:
    """Return the hypothesis beyond doubt, None where several are left or nothing fits: "cannot tell"."""
    return next((hypothesis for hypothesis in hypotheses[:1] if hypothesis.is_certain), None)


def is_doubtful(hypotheses: Sequence[Hypothesis], declared: str) -> bool:
    """Whether the evidence is against the frame that a file says it is in: another one is far likelier.

    Where nothing fits, or only the declared frame's own numbers are out of place, the rows say so themselves.
    """
    share = sum(hypothesis.confidence for hypothesis in hypotheses if declared in hypothesis.frames)
    # A .prj of an old datum is often a leftover of the time before 2018, when CGCS2000 became the only one in use.
    limit = _UNLIKELY_OLD if old_datum(declared) else UNLIKELY
    return bool(hypotheses) and 0.0 < share < limit


def _sample(x: ArrayLike, y: ArrayLike) -> tuple[Floats, Floats]:
    """Return at most `MAX_POINTS` of the pairs that are numbers."""
    x, y = np.asarray(x, float).ravel(), np.asarray(y, float).ravel()
    with np.errstate(invalid="ignore"):
        usable = np.flatnonzero((np.abs(x) < _MAX_COORDINATE) & (np.abs(y) < _MAX_COORDINATE))
    if len(usable) > MAX_POINTS:
        usable = usable[np.linspace(0, len(usable) - 1, MAX_POINTS).astype(np.int64)]
    return x[usable], y[usable]


def _readings(x: Floats, y: Floats, ground: Ground | None, declared: str | None) -> Iterator[_Reading]:
    """Yield the ways to read the numbers that their size allows, the usual ones first."""
    if declared is not None:
        for is_swapped in (False, True):
            yield _Reading(declared, is_swapped, 1.0, (Evidence("declared", {"name": frame_name(declared)}),))
    for is_swapped in (False, True):
        first, second = (y, x) if is_swapped else (x, y)
        order = (Evidence("order_swapped"),) if is_swapped else ()
        for frame, weight, evidence in _frames_of(first, second, ground):
            yield _Reading(frame, is_swapped, weight, (*evidence, *order))


def _frames_of(x: Floats, y: Floats, ground: Ground | None) -> Iterator[tuple[str, float, tuple[Evidence, ...]]]:
    """Yield frame, weight and evidence for x as easting and y as northing."""
    middle = float(np.median(np.abs(x))), float(np.median(np.abs(y)))
    if middle[0] <= _LARGEST_DEGREES and middle[1] <= _LARGEST_DEGREES / 2:
        yield from _degree_frames(x, y)
        return
    if _are_sixtieths(x) and _are_sixtieths(y) and middle[1] < middle[0] * 10:
        digits = Evidence("digits_sixtieths", {"n": len(x)})
        for frame in _shift_frames(*convert(x, y, f"{PACKED}{WGS84}", WGS84)):
            yield f"{PACKED}{frame}", 1.0, (digits,)
    zones, counts = np.unique(np.floor(x / 1e6).astype(np.int64), return_counts=True)
    zone = int(zones[np.argmax(counts)])
    zoned = zone_frame(zone)
    if zoned is not None and _within(x - zone * 1e6, _EASTINGS) and _within(y, _NORTHINGS):
        yield zoned, 1.0, (Evidence("zone", {"zone": zone, "width": 3 if zone > 24 else 6}),)  # noqa: PLR2004
    elif ground is None and _within(x, _EASTINGS) and _within(y, _NORTHINGS):
        for meridian in range(75, 136, 3):
            yield meridian_frame(meridian) or "", 1.0, (Evidence("zone_missing"),)
    metres = Evidence("metres", {"x": f"{np.median(x):.0f}", "y": f"{np.median(y):.0f}"})
    for frame in _metric_frames(x, y, ground):
        yield frame, 1.0, (metres,)


def _degree_frames(x: Floats, y: Floats) -> Iterator[tuple[str, float, tuple[Evidence, ...]]]:
    """Yield the frames in degrees, and those in degrees, minutes and seconds run together as DDD.MMSS."""
    span = [f"{value:.4f}" for value in (x.min(), x.max(), y.min(), y.max())]
    size = Evidence("degrees", dict(zip(("west", "east", "south", "north"), span, strict=True)))
    weight = 1.0
    if _have_decimals(x) and _have_decimals(y) and _are_sixtieths(x) and _are_sixtieths(y):
        # So many decimals would hardly all stay below 60 by chance.
        weight = _MAY_BE_SIXTIETHS ** len(x)
        digits = Evidence("digits_sixtieths", {"n": len(x)})
        for frame in _shift_frames(*convert(x, y, f"{PACKED}{WGS84}", WGS84)):
            yield f"{PACKED}{frame}", 1.0 - weight, (digits,)
    for frame in _shift_frames(x, y):
        yield frame, weight, (size,)


def _shift_frames(lon: Floats, lat: Floats) -> tuple[str, ...]:
    """Return the frames in degrees that differ at these places."""
    if not in_shifted_area(np.median(lon), np.median(lat)):
        return (WGS84,)
    return (WGS84, CGCS2000, GCJ02, BD09)


def _metric_frames(x: Floats, y: Floats, ground: Ground | None) -> Iterator[str]:
    """Yield the frames in metres without a zone's number."""
    is_plane = _within(np.abs(x), (0.0, _MERCATOR_M)) and _within(np.abs(y), (0.0, _MERCATOR_M))
    if is_plane and (np.median(np.abs(x)) > _EASTINGS[1] or ground is not None):
        yield WEB_MERCATOR
        yield BD09MC
    if ground is None:
        return
    yield ground.crs
    if not (_within(x, (-1e6, 2e6)) and _within(np.abs(y), _NORTHINGS)):
        return
    lon, lat = _centre(ground)
    for shift in (0.0, -3.0, 3.0, -6.0, 6.0):
        yield suggest_working_crs(lon + shift, lat)
        zone = min(max(int((lon + shift + 180) // 6) + 1, 1), 60)
        yield f"EPSG:{(32600 if lat >= 0 else 32700) + zone}"


def _centre(ground: Ground) -> tuple[float, float]:
    """Return lon, lat of the middle of what is known of the place, else of where its CRS is used."""
    if ground.county is not None:
        west, south, east, north = ground.county.bounds
    elif ground.roads is not None:
        west, south, east, north = shapely.total_bounds(ground.roads)
    else:
        area = parse_crs(ground.crs).area_of_use
        return (0.0, 0.0) if area is None else ((area.west + area.east) / 2, (area.south + area.north) / 2)
    lon, lat = transform([(west + east) / 2], [(south + north) / 2], ground.crs, WGS84)
    return float(lon[0]), float(lat[0])


def _within(values: Floats, limits: tuple[float, float]) -> bool:
    """Whether most values lie between the limits."""
    return bool(np.mean((values >= limits[0]) & (values <= limits[1])) > MOSTLY)


def _are_sixtieths(values: Floats) -> bool:
    """Whether all numbers could be degrees, minutes and seconds run together."""
    unpacked = convert(values, np.zeros_like(values), f"{PACKED}{WGS84}", WGS84)[0]
    return bool(np.isfinite(unpacked).all() and (np.abs(unpacked) <= _LARGEST_DEGREES).all())


def _have_decimals(values: Floats) -> bool:
    """Whether most numbers have the decimals that seconds need."""
    rounded = np.round(values, _MIN_PACKED_DECIMALS - 1)
    return bool(np.mean(np.abs(values - rounded) > 1e-9) > MOSTLY)  # noqa: PLR2004  what is left of a float


def _placed(reading: _Reading, x: Floats, y: Floats, crs: str, is_there: _There) -> _Reading:
    """Return the reading with its points in `crs`, and the share of them that falls where the study is."""
    first, second = (y, x) if reading.is_swapped else (x, y)
    px, py = convert(first, second, reading.frame, crs)
    return replace(reading, x=px, y=py, inside_share=float(is_there(px, py).mean()))


def _whereabouts(ground: Ground | None) -> _There:
    """Return the test for points in the county, around the roads, where the study's CRS is used, or on the globe."""
    if ground is None:
        return _box_test(WGS84, WGS84, (-_LARGEST_DEGREES, -_MERCATOR_LAT, _LARGEST_DEGREES, _MERCATOR_LAT))
    if ground.county is not None:
        outline = ground.county.buffer(OUTSIDE_TOLERANCE_M)
        shapely.prepare(outline)
        return lambda x, y: np.asarray(shapely.contains_xy(outline, x, y))
    if ground.roads is not None and len(ground.roads):
        west, south, east, north = shapely.total_bounds(ground.roads)
        wider = OUTSIDE_TOLERANCE_M
        return _box_test(ground.crs, ground.crs, (west - wider, south - wider, east + wider, north + wider))
    area = parse_crs(ground.crs).area_of_use
    bounds = (-180.0, -90.0, 180.0, 90.0) if area is None else (area.west, area.south, area.east, area.north)
    return _box_test(ground.crs, WGS84, bounds)


def _box_test(crs: str, box_crs: str, bounds: tuple[float, float, float, float]) -> _There:
    """Return the test for points of `crs` within bounds in `box_crs`."""
    west, south, east, north = bounds

    def is_there(x: Floats, y: Floats) -> NDArray[np.bool_]:
        x, y = convert(x, y, crs, box_crs)
        with np.errstate(invalid="ignore"):
            return np.asarray((x >= west) & (x <= east) & (y >= south) & (y <= north))

    return is_there


def _distinct(readings: list[_Reading], declared: str | None) -> list[_Reading]:
    """Return the readings that mean different places; each knows the frames that mean the same as it."""
    kept: list[_Reading] = []
    for reading in readings:
        for i, other in enumerate(kept):
            if other.is_swapped == reading.is_swapped and _is_same(other, reading):
                if reading.frame not in (other.frame, *other.same_as):
                    evidence = other.evidence if other.frame != declared else (*other.evidence, *reading.evidence)
                    kept[i] = replace(other, same_as=(*other.same_as, reading.frame), evidence=evidence)
                break
        else:
            kept.append(reading)
    return kept


def _is_same(one: _Reading, other: _Reading) -> bool:
    scale = 1.0 if max(np.abs(one.x).max(initial=0), 0) > _LARGEST_DEGREES else 111_000.0
    with np.errstate(invalid="ignore"):
        apart = np.hypot(one.x - other.x, one.y - other.y) * scale
    known = np.isfinite(apart)
    return bool(known.any() and np.median(apart[known]) <= _SAME_PLACE_M)


def _ranked(readings: Sequence[_Reading], ground: Ground | None, declared: str | None) -> list[Hypothesis]:
    """Return the readings as hypotheses with their confidence, likeliest first; ties stay in their order."""
    # One of two points outside says little.
    power = min(_INSIDE_POWER, len(readings[0].x))
    weights = np.array([reading.weight * reading.inside_share**power for reading in readings])
    evidence = [list(reading.evidence) for reading in readings]
    medians = [float("nan")] * len(readings)
    if ground is not None:
        for reasons, reading in zip(evidence, readings, strict=True):
            reasons.append(Evidence("inside", {"share": f"{reading.inside_share:.0%}"}))
    roads = None if ground is None else ground.roads
    if roads is not None and len(roads):
        fits = road_fits([np.column_stack([reading.x, reading.y]) for reading in readings], roads)
        weights = weights * np.array([fit.likelihood for fit in fits])
        medians = [fit.median_m for fit in fits]
        for reasons, median in zip(evidence, medians, strict=True):
            reasons.append(Evidence("roads", {"metres": f"{median:.0f}"}))
    share = weights / weights.sum()
    order = np.argsort(-share, kind="stable").tolist()
    best = readings[order[0]]
    is_alone = len(readings) == 1 or float(share[order[1]]) < _DOUBT
    # What the file itself says needs no further proof while nothing speaks against it.
    certain, reason = (
        (False, []) if declared in (best.frame, *best.same_as) else _judged(best, ground, is_alone=is_alone)
    )
    evidence[order[0]] += reason
    return [
        Hypothesis(
            readings[i].frame, readings[i].is_swapped, float(share[i]), (*evidence[i], *_about(readings[i])),
            readings[i].same_as, readings[i].inside_share, medians[i], is_certain=certain and i == order[0],
        )
        for i in order
    ]  # fmt: skip


def _about(reading: _Reading) -> tuple[Evidence, ...]:
    """Return what is to be known of a frame, whatever the numbers."""
    datum = (Evidence(old_datum(reading.frame)),) if old_datum(reading.frame) else ()
    names = ", ".join(frame_name(name) for name in reading.same_as)
    return (*datum, Evidence("same_as", {"names": names})) if names else datum


def _judged(best: _Reading, ground: Ground | None, *, is_alone: bool) -> tuple[bool, list[Evidence]]:
    """Return whether the best reading is beyond doubt, and what was found about it."""
    if ground is None or not is_alone or best.inside_share < _NEARLY_ALL:
        return False, []
    roads = np.empty(0, dtype=object) if ground.roads is None else ground.roads
    if not len(roads) or len(best.x) < _ENOUGH_POINTS:
        # Without roads, or points enough to hold against them, only degrees in a county where no web map is shifted
        # leave nothing else.
        is_plain = WGS84 in (best.frame, *best.same_as) and best.frame != CGCS2000
        is_shifted = bool(in_shifted_area(*_middle_degrees(best, ground)).any())
        is_settled = ground.county is not None and is_plain and not is_shifted
        return is_settled, [Evidence("few_points", {"n": len(best.x)})] if len(roads) else []
    found = registration(np.column_stack([best.x, best.y]), roads)
    east, north = found.offset_m
    values = {"east": f"{east:+.0f}", "north": f"{north:+.0f}", "share": f"{found.share_better:.1%}"}
    is_best = found.share_better <= _MAX_SHARE_BETTER and found.ahead_t >= -_MAX_BEHIND_T
    return is_best, [Evidence("place_best" if is_best else "place_other", values)]


def _middle_degrees(reading: _Reading, ground: Ground) -> tuple[Floats, Floats]:
    return transform([float(np.nanmedian(reading.x))], [float(np.nanmedian(reading.y))], ground.crs, WGS84)
