"""The command line: each command opens a study, calls one function of the library and prints what it returns."""

from planner.cli import files, groups, places, results, runs  # commands register themselves when their module is read
from planner.cli.shell import app, language, main

__all__ = ["app", "files", "groups", "language", "main", "places", "results", "runs"]
