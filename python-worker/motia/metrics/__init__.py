"""What the worker counts, and how it is told: `shared/metrics/` has the same for the other roles."""
