"""Minutes turned into people: coverage, gaps, settlements."""
