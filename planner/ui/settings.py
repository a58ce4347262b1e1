"""What whoever starts the app may set by environment variables."""

from __future__ import annotations

import os
import sys
from pathlib import Path

TILES = "PLANNER_TILES"
PASSWORD_VARIABLE = "PLANNER_APP_PASSWORD"  # noqa: S105  a name, no password
SIGN_OUT = "/sign-out"
"""Where the door shows a reader out."""


def tiles() -> str | None:
    """Return the configured basemap: an address with {z}, {x} and {y}, or a folder of tiles z/x/y.png."""
    return os.environ.get(TILES) or None


def has_password() -> bool:
    """Whether readers had to give a password to be here."""
    return bool(os.environ.get(PASSWORD_VARIABLE))


def arguments() -> list[str]:
    """Return what stands on the command line behind the script: the study to open first."""
    return sys.argv[1:]


def leave_the_path() -> None:
    """Take this folder off the path: Streamlit puts it first, where `coverage` hides the package of that name."""
    here = Path(__file__).resolve().parent
    sys.path[:] = [entry for entry in sys.path if not entry or Path(entry).resolve() != here]
