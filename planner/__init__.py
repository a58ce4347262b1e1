"""Practice Circle Planner: who is within 15 minutes, where the gaps are, and which places to open next."""

__version__ = "0.1.0"
