"""Long work starts once, can be cancelled by the last who waits for it, and fails in the open."""

import re
import threading
from pathlib import Path

import pytest

import planner
from planner.errors import CancelledError, InputError
from planner.progress import Standing
from planner.ui.jobs import Jobs, finished, stage


def test_equal_work_is_done_once_whoever_asks():
    jobs, calls, go = Jobs(), [], threading.Event()

    def work(progress):
        calls.append(1)
        go.wait(10)
        return 42

    first, second = jobs.start(("x", 1), work, "one"), jobs.start(("x", 1), work, "two")
    assert first is second
    go.set()
    assert first.done.wait(10)
    assert finished(first) == 42
    assert jobs.start(("x", 1), work, "three") is first
    assert calls == [1]


def test_only_the_last_who_waits_cancels():
    jobs, started = Jobs(), threading.Event()

    def work(progress):
        started.set()
        while True:
            progress.update(0, 1)

    job = jobs.start(("x",), work, "one")
    jobs.start(("x",), work, "two")
    assert started.wait(10)
    jobs.leave(job, "one")
    assert not job.done.wait(0.1)
    jobs.leave(job, "two")
    assert job.done.wait(10)
    with pytest.raises(CancelledError):
        finished(job)


def test_a_failure_stays_until_it_is_dropped():
    jobs, calls = Jobs(), []

    def work(progress):
        calls.append(1)
        raise InputError("no roads")

    job = jobs.start(("x",), work, "one")
    assert job.done.wait(10)
    with pytest.raises(InputError):
        finished(jobs.start(("x",), work, "one"))
    assert calls == [1]
    assert job.error.job_key == ("x",)
    jobs.drop(("x",))
    assert jobs.start(("x",), work, "one").done.wait(10)
    assert calls == [1, 1]


def test_old_results_make_room():
    jobs = Jobs()
    for number in range(40):
        assert jobs.start(("many", number), lambda _: b"x", "one").done.wait(10)
    jobs.start(("last",), lambda _: b"x", "one").done.wait(10)
    assert jobs.found(("many", 0)) is None
    assert jobs.found(("many", 39)) is not None


def test_every_step_of_long_work_is_told_in_chinese():
    sources = "".join(path.read_text(encoding="utf-8") for path in Path(planner.__file__).parent.rglob("*.py"))
    steps = set(re.findall(r'progress\.update\([^"\n]*, "([a-z]+)"\)', sources))
    assert {"open", "reading", "network", "siting"} <= steps
    assert [name for name in steps if not re.search("[\u4e00-\u9fff]", stage(name, "zh"))] == []
    assert stage(Standing(1234.0, 1240.0), "zh") == "目前 1,234，上限 1,240，差距 0.49%"
    assert stage(Standing(float("-inf"), 1240.0), "en") == "value -, bound 1,240, gap -"
