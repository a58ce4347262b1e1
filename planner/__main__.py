"""`python -m planner`: the same commands, where the script folder is not on the path."""

from planner.cli import main

main()
