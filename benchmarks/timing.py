"""Medians of CPU time, measured in turns so that a busy machine troubles all alike."""

from __future__ import annotations

import statistics
import time


def medians(tasks, repeats=5):
    """Milliseconds of CPU of this process per call, and each task's last answer; one warm-up call each."""
    answers = {name: task() for name, task in tasks.items()}
    spent = {name: [] for name in tasks}
    for _ in range(repeats):
        for name, task in tasks.items():
            start = time.process_time()
            answers[name] = task()
            spent[name].append((time.process_time() - start) * 1e3)
    return {name: statistics.median(values) for name, values in spent.items()}, answers


def row(figure, value, target=""):
    """One line of the table of results."""
    print(f"| {figure} | {value} | {target} |", flush=True)
