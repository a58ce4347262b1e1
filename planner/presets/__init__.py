"""The TOML files that a user may copy and edit: profiles with their speeds, and standards with their sources."""
