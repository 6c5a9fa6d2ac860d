"""Measurements, each beside its limit: python -m benchmarks.NAME."""
