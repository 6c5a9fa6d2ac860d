"""Chunks, vectors, hits and their ranking: how an index is kept and searched. Knows no models and no parsers."""
