"""spopt's answer to one "most people covered" question: python siting_peer.py FOLDER N_NEW, in a Python that has spopt.

FOLDER holds covers.npz (sites x demand) and weights.npy.
Prints value, seconds and CPU seconds, with the building of the model.
"""

from __future__ import annotations

import resource
import sys
import time

import numpy as np
import pulp
from scipy import sparse
from spopt import locate


def cpu_s():
    own, others = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + others.ru_utime + others.ru_stime


def main():
    covers = sparse.load_npz(f"{sys.argv[1]}/covers.npz")
    weights = np.load(f"{sys.argv[1]}/weights.npy")
    began, cpu = time.perf_counter(), cpu_s()
    cost = np.where(covers.T.toarray(), 0.0, 2.0)
    model = locate.MCLP.from_cost_matrix(cost, weights, service_radius=1.0, p_facilities=int(sys.argv[2]))
    model = model.solve(pulp.PULP_CBC_CMD(msg=False))
    print(model.problem.objective.value(), time.perf_counter() - began, cpu_s() - cpu)


if __name__ == "__main__":
    main()
