"""From a study and a scenario to a plan: `stages` runs what the other modules each make."""
