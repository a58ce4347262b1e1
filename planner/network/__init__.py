"""Roads as a graph of arrays, and positions on it."""
