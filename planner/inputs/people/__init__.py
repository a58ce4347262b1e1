"""People to where they live: totals of towns and villages, rasters, and the split among them."""
