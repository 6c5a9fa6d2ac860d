"""From a query and candidates to their order: pure functions."""
