"""The demo county: a synthetic mountain county, written as the files that a planner would have."""
