"""The short form of every benchmark, one after the other: python -m benchmarks.

Each runs in a process of its own; the long forms are in the docstrings of the scripts.
"""

from __future__ import annotations

import subprocess
import sys
import time

SHORT_FORMS = (
    ("network_load",),
    ("reach_search", "porto_alegre"),
    ("reach_peers", "porto_alegre"),
    ("reach_nearest", "what_if", "cores"),
    ("circles", "10000"),
    ("reach_profile", "porto_alegre"),
    ("or_library", "scp", "pcenter", "--limit", "5"),
    ("siting", "--short"),
    ("demo",),
)
IN_ALL_S = 300  # for all of them: each may take twice its share of what is left, the last all of it


def main():
    started = time.perf_counter()
    for done, (name, *options) in enumerate(SHORT_FORMS):
        print(f"\n== {name} {' '.join(options)}", flush=True)
        left_s = IN_ALL_S - (time.perf_counter() - started)
        longest_s = max(left_s * min(2.0 / (len(SHORT_FORMS) - done), 1.0), 1.0)
        try:
            subprocess.run([sys.executable, "-m", f"benchmarks.{name}", *options], check=False, timeout=longest_s)
        except subprocess.TimeoutExpired:
            print(f"stopped after {longest_s:.0f} s: run python -m benchmarks.{name} by itself")
    print(f"\n{time.perf_counter() - started:.0f} s in all")


if __name__ == "__main__":
    main()
