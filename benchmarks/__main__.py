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
LONGEST_S = 150  # of one script; an idle machine needs a minute at most


def main():
    started = time.perf_counter()
    for name, *options in SHORT_FORMS:
        print(f"\n== {name} {' '.join(options)}", flush=True)
        try:
            subprocess.run([sys.executable, "-m", f"benchmarks.{name}", *options], check=False, timeout=LONGEST_S)
        except subprocess.TimeoutExpired:
            print(f"stopped after {LONGEST_S} s: run python -m benchmarks.{name} by itself")
    print(f"\n{time.perf_counter() - started:.0f} s in all")


if __name__ == "__main__":
    main()
