"""What whoever starts the app may set by environment variables."""

from __future__ import annotations

import os

TILES = "PLANNER_TILES"


def tiles() -> str | None:
    """Return the configured basemap: an address with {z}, {x} and {y}, or a folder of tiles z/x/y.png."""
    return os.environ.get(TILES) or None
