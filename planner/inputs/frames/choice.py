"""The frame a file is taken in: the user's, the file's own where nothing speaks against it, or one beyond doubt."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from planner.crs import WGS84, parse_crs
from planner.errors import CrsError, FrameError
from planner.inputs.frames.forensics import certain_frame, frame_hypotheses, is_doubtful, study_ground
from planner.inputs.frames.systems import frame_name, parse_frame
from planner.texts import LANGUAGES, text

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from planner.inputs.frames.forensics import Ground, Hypothesis
    from planner.inputs.records import Findings, Records
    from planner.study import Study
    from planner.texts import Language

    Floats = NDArray[np.float64]

# Properties of the boundaries that Aliyun DataV hands out, which many copy; they come from Amap, in GCJ-02.
_DATAV_MARKS = frozenset({"childrennum", "acroutes", "subfeatureindex"})
_WEB_MAP = "gcj02"
MAX_LISTED = 5
"""Hypotheses that a message lists: the likeliest."""
# Rows of these tables are places along roads; the others are only looked at for where they lie.
_ALONG_ROADS = ("facilities", "candidates", "demand", "settlements")


def choose_frame(
    records: Records, frame: str | None, xy: tuple[Floats, Floats], study: Study, findings: Findings, table: str
) -> str:
    """Return the frame of the file's coordinates; what was decided from evidence is noted in the findings.

    Parameters
    ----------
    records : the file, with the CRS that it declares.
    frame : the user's choice, which is taken as it is; where the evidence is against it, that is noted.
    xy : a place of every row as the numbers stand in the file; NaN where it has none.
    study : gives the county and the roads.
    findings : where notes go.
    table : the table that the file is for.

    Raises
    ------
    FrameError
        When nobody says and several frames are left, or the file says one that the evidence is against.
    """
    ground = study_ground(study)
    if table not in _ALONG_ROADS:
        ground = replace(ground, roads=None)
    if frame is not None:
        chosen = parse_frame(frame)
        _note_doubt(frame_hypotheses(*xy, ground, chosen), chosen, findings)
        return chosen
    if _is_of_web_map(records):
        findings.note("", "frame_of_web_map", file=records.file)
        return parse_frame(_WEB_MAP)
    declared = declared_frame(records.crs)
    hypotheses = frame_hypotheses(*xy, ground, declared)
    if declared is not None:
        if table in _ALONG_ROADS and is_doubtful(hypotheses, declared):
            raise _frame_error("declared_doubtful", hypotheses, file=records.file, name=frame_name(declared))
        return declared
    certain = certain_frame(hypotheses)
    if certain is None:
        raise _frame_error("unsettled", hypotheses, file=records.file)
    findings.note("", "frame_found", **_figures(hypotheses))
    return certain.frame


def _is_of_web_map(records: Records) -> bool:
    """Whether boundaries carry the marks of the common download of Chinese boundaries, whose frame is GCJ-02.

    GeoJSON says WGS-84 where it says nothing; a file that declares another frame was put into it by somebody.
    """
    headers = {header.strip().lower() for header in records.headers}
    says_nothing = records.crs is None or declared_frame(records.crs) in (WGS84, "OGC:CRS84")
    return says_nothing and "adcode" in headers and bool(headers & _DATAV_MARKS)


def declared_frame(crs: str | None) -> str | None:
    """Return the frame that a file declares, None where it declares none that is known."""
    if crs is None:
        return None
    try:
        return parse_crs(crs).to_string()
    except CrsError:
        return None


def fitting_words(xy: tuple[Floats, Floats], study: Study, language: Language = "en") -> str:
    """Return the sentence that names the frames in which coordinates would lie in the study's area."""
    names = [name for hypothesis in frame_hypotheses(*xy, _area_of(study)) for name in hypothesis.frames]
    if not names:
        return text("frames.none_fits", language)
    return text("frames.would_fit", language, names=", ".join(dict.fromkeys(names)))


def _area_of(study: Study) -> Ground:
    return replace(study_ground(study), roads=None)


def _note_doubt(hypotheses: Sequence[Hypothesis], chosen: str, findings: Findings) -> None:
    """Note that the evidence is against the frame that the user chose."""
    if is_doubtful(hypotheses, chosen):
        findings.note("", "frame_doubtful", chosen=frame_name(chosen), **_figures(hypotheses))


def _figures(hypotheses: Sequence[Hypothesis]) -> dict[str, str]:
    """Return the evidence for the first hypothesis beside the second, as figures that need no language."""
    best = hypotheses[0]
    rival = hypotheses[1] if len(hypotheses) > 1 else None
    return {
        "name": frame_name(best.frame) + (" (y, x)" if best.is_swapped else ""),
        "inside": f"{best.inside_share:.0%}",
        "metres": f"{best.road_m:.0f}",
        "rival": "-" if rival is None else frame_name(rival.frame),
        "rival_metres": "-" if rival is None else f"{rival.road_m:.0f}",
    }


def _frame_error(code: str, hypotheses: Sequence[Hypothesis], **values: str) -> FrameError:
    return FrameError(*(_message(code, hypotheses, language, values) for language in reversed(LANGUAGES)))


def _message(code: str, hypotheses: Sequence[Hypothesis], language: Language, values: dict[str, str]) -> str:
    """Return the question with the likeliest hypotheses, one a line."""
    lines = [text(f"frames.{code}", language, **values)]
    if not hypotheses:
        lines.append(text("frames.none_fits", language))
    shown = hypotheses[:MAX_LISTED]
    lines.extend(f"--frame {hypothesis.frame}  {hypothesis.words(language)}" for hypothesis in shown)
    return "\n".join(lines)
