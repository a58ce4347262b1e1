"""Files to rows: what a path holds, its encoding, its sheets, layers and grids, where its table stands."""
