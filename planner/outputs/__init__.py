"""Files out: the only part that writes results for people."""
