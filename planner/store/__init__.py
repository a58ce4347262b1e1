"""The study file: open, save, mend."""

from planner.store.file import open_study, save_study

__all__ = ["open_study", "save_study"]
