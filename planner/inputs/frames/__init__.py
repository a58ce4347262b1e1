"""Coordinates to the study's CRS: which frame a file is in, how sure that is, and the way out of it."""
