"""Work in blocks on all cores, with progress and cancel; what comes out does not depend on the number of threads."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from planner.progress import Progress

Part = TypeVar("Part")


def run_blocks(
    work: Callable[[int, int], Part], n: int, block: int, progress: Progress, threads: int | None = None
) -> list[Part]:
    """Return `work(start, stop)` for the blocks of 0..n-1 in their order; it must release the interpreter lock.

    Parameters
    ----------
    block : items between two reports.
    threads : how many; None = one per core.

    Raises
    ------
    CancelledError
        From `progress`; blocks not yet begun are dropped.
    """
    starts = range(0, n, block)
    stops = [min(start + block, n) for start in starts]
    n_threads = min(threads or os.cpu_count() or 1, len(stops))
    parts = []
    if n_threads <= 1:
        for start, stop in zip(starts, stops, strict=True):
            parts.append(work(start, stop))
            progress.update(stop, n)
        return parts
    with ThreadPoolExecutor(n_threads) as pool:
        try:
            for part, stop in zip(pool.map(work, starts, stops), stops, strict=True):
                parts.append(part)
                progress.update(stop, n)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return parts
