"""Fewest or cheapest sites that cover everyone, or a share of them: reductions, multipliers, plans, fixing."""
