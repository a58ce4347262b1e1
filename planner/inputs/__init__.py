"""Files in: the only part that reads a user's files."""
