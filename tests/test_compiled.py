"""Compiled code without a cache that can be written, and an empty cache that two processes fill at once."""

import os
import subprocess
import sys

import pytest

import planner.compiled as compiled_module

ROUTE = """
import logging, sys
logging.basicConfig(level=logging.WARNING)
import numpy as np
from planner.network.build import build_network
from planner.network.snap import snap_points
from planner.network.speeds import prepare_profile
from planner.reach.travel_times import travel_times
from planner.standards import default_profiles
from tests.reference.towns import CRS, corridor

network = prepare_profile(build_network(corridor(), CRS), default_profiles()["walk"])
place = snap_points(network, np.array(["a"]), np.zeros(1), np.zeros(1))
points = snap_points(network, np.arange(2), np.array([72.0, 288.0]), np.zeros(2))
print(travel_times(network, place, points, 15).time_cs.tolist())
"""
ANSWER = "[6000, 24000]"


def started(cache, code=ROUTE):
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(cache), "NUMBA_BOUNDSCHECK": "0"}
    return subprocess.Popen(
        [sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


UNWRITABLE = """
import logging
logging.basicConfig(level=logging.WARNING)
import numba.core.caching as caching

def refuse(*_):
    raise RuntimeError("cannot cache function: no locator available for file")

def full(*_):
    raise OSError(28, "No space left on device")

from planner.compiled import compiled

caching.IndexDataCacheFile.save = full

@compiled
def one(x):
    return x + 1

print(one(3))
caching.FunctionCache.__init__ = refuse

@compiled
def two(x):
    return one(x) + 1

print(two(3))
"""


def test_without_a_cache_it_works_and_says_so_once(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(UNWRITABLE)
    out, err = started(tmp_path, f"exec(compile(open({str(script)!r}).read(), {str(script)!r}, 'exec'))").communicate()
    assert out.split() == ["4", "5"], err
    assert err.count("Compiled code cannot be kept") == 1
    assert "Traceback" not in err


@pytest.mark.slow
def test_a_cache_that_cannot_be_written_leaves_the_answers_as_they_are(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("in the way of a folder")
    process = started(blocked)
    out, err = process.communicate(timeout=600)
    assert (process.returncode, out.strip()) == (0, ANSWER), err
    assert "Traceback" not in err


@pytest.mark.slow
def test_two_processes_fill_an_empty_cache_at_once(tmp_path):
    pair = [started(tmp_path) for _ in range(2)]
    answers = [process.communicate(timeout=900) for process in pair]
    third = started(tmp_path)
    answers.append(third.communicate(timeout=600))
    for out, err in answers:
        assert out.strip() == ANSWER, err
    indexes = list(tmp_path.rglob("*.nbi"))
    assert indexes
    assert not list(tmp_path.rglob("*.tmp*"))


def test_a_lock_that_cannot_be_removed_does_not_stop_the_work(tmp_path, monkeypatch):
    lock = tmp_path / "lock"
    lock.mkdir()
    os.utime(lock, (0, 0))
    with pytest.raises((IsADirectoryError, PermissionError)), compiled_module._alone(lock):
        pass


def test_an_edited_callee_in_another_file_is_compiled_anew(tmp_path):
    head = "from planner.compiled import compiled\n"
    (tmp_path / "outer_kernels.py").write_text(
        f"{head}from inner_kernels import inner\n@compiled\ndef outer(x):\n    return inner(x) + 1\n"
    )
    said = []
    for body in ("x", "100 * x"):
        (tmp_path / "inner_kernels.py").write_text(f"{head}@compiled\ndef inner(x):\n    return {body}\n")
        code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); from outer_kernels import outer; print(outer(2))"
        out, err = started(tmp_path, code).communicate()
        assert out, err
        said.append(int(out))
    assert said == [3, 201]
