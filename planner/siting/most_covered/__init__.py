"""Most people covered: reduction, relaxation, search, branching."""
