"""The command line: each command opens a study, calls one function of the library and prints what it returns."""

# Commands register themselves when their module is read.
from planner.cli import evidence, files, findings, groups, places, results, roads, runs, siting, trials
from planner.cli.shell import app, language, main

__all__ = [
    "app",
    "evidence",
    "files",
    "findings",
    "groups",
    "language",
    "main",
    "places",
    "results",
    "roads",
    "runs",
    "siting",
    "trials",
]
