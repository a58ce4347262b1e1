"""Compiled geometry of legs and of barrier segments: shares, sides, gaps."""

from __future__ import annotations

import math
from typing import Any

from planner.compiled import compiled

# A leg that comes this near to a barrier meets it: whether a road drawn along a barrier can be reached must not hang
# on rounding.
TOUCH_M = 1e-6
# A barrier on which a leg begins or ends, within so many metres, does not block it: whoever walks to a motorway does
# not cross it, whatever the last digit of a coordinate.
END_M = 0.01


@compiled
def project(px: Any, py: Any, ax: Any, ay: Any, bx: Any, by: Any) -> Any:
    """Share along a-b nearest to p, and the square of its distance."""
    dx = bx - ax
    dy = by - ay
    length2 = dx * dx + dy * dy
    share = 0.0
    if length2 > 0.0:
        share = ((px - ax) * dx + (py - ay) * dy) / length2
        share = min(max(share, 0.0), 1.0)
    ex = ax + share * dx - px
    ey = ay + share * dy - py
    return share, ex * ex + ey * ey


@compiled
def side(ax: Any, ay: Any, bx: Any, by: Any, px: Any, py: Any) -> Any:
    """Twice the signed area of a, b, p."""
    return (bx - ax) * (py - ay) - (by - ay) * (px - ax)


@compiled
def _gap2(ax: Any, ay: Any, bx: Any, by: Any, cx: Any, cy: Any, dx: Any, dy: Any) -> Any:
    """Square of the distance between segments a-b and c-d; 0 where they cross."""
    s1 = side(cx, cy, dx, dy, ax, ay)
    s2 = side(cx, cy, dx, dy, bx, by)
    if (s1 <= 0.0 and s2 >= 0.0) or (s1 >= 0.0 and s2 <= 0.0):
        s3 = side(ax, ay, bx, by, cx, cy)
        s4 = side(ax, ay, bx, by, dx, dy)
        if (s3 < 0.0 and s4 > 0.0) or (s3 > 0.0 and s4 < 0.0):
            return 0.0
    best = min(project(ax, ay, cx, cy, dx, dy)[1], project(bx, by, cx, cy, dx, dy)[1])
    return min(best, project(cx, cy, ax, ay, bx, by)[1], project(dx, dy, ax, ay, bx, by)[1])


@compiled
def meets(ax: Any, ay: Any, bx: Any, by: Any, barriers: Any, b: Any, margin_m: Any) -> Any:
    """Whether leg a-b, less `END_M` at either end, comes within `margin_m` of barrier segment `b`.

    A wider margin than `TOUCH_M` stands for the legs of all points around a: then nothing is taken off.
    """
    cx, cy, dx, dy = barriers[b, 0], barriers[b, 1], barriers[b, 2], barriers[b, 3]
    if max(ax, bx) + margin_m < min(cx, dx) or min(ax, bx) - margin_m > max(cx, dx):
        return False
    if max(ay, by) + margin_m < min(cy, dy) or min(ay, by) - margin_m > max(cy, dy):
        return False
    if margin_m > TOUCH_M:
        return _gap2(ax, ay, bx, by, cx, cy, dx, dy) <= margin_m * margin_m
    length_m = math.hypot(bx - ax, by - ay)
    if length_m <= 2.0 * END_M:
        return False
    ux = (bx - ax) * (END_M / length_m)
    uy = (by - ay) * (END_M / length_m)
    return _gap2(ax + ux, ay + uy, bx - ux, by - uy, cx, cy, dx, dy) <= margin_m * margin_m
