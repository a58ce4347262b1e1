"""Every objective with every rule as a linear or mixed-integer model, and HiGHS, which solves it."""
