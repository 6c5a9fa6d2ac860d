"""From a query and candidates to hits: pure functions."""
