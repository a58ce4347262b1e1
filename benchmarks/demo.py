"""`planner demo` as a whole process: seconds of wall clock and CPU, and the most memory it takes.

Run: python -m benchmarks.demo [runs] (default 1, after one run that fills the caches of compiled code).
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

COMMAND = "from planner.cli import main; main()"


def run(folder):
    started = time.perf_counter()
    subprocess.run(
        [sys.executable, "-c", COMMAND, "demo", "--out", str(folder), "--json"], check=True, stdout=subprocess.DEVNULL
    )
    return time.perf_counter() - started


def main():
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    with tempfile.TemporaryDirectory() as folder:
        run(Path(folder) / "first")
        before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
        wall = [run(Path(folder) / str(number)) for number in range(runs)]
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(
        f"planner demo: wall {statistics.median(wall):.1f} s (at most 60), "
        f"CPU {(used.ru_utime - before) / runs:.1f} s, memory {used.ru_maxrss / 1024:.0f} MB (at most 2048)"
    )


if __name__ == "__main__":
    main()
