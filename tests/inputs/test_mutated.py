"""Damaged files never give a traceback, never hang, and lose no row without a line in the ledger."""

import os

import pytest

from tests.inputs.mutated_files import run


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_damaged_files_are_refused_or_balance():
    failures = []
    counts = run(int(os.environ.get("PLANNER_FUZZ", "150")), seed=6, report=failures.append)
    assert not failures, "\n".join(failures[:5])
    assert counts["taken"] > 0
    assert counts["refused"] > 0
