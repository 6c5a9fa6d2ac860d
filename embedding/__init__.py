"""Texts into vectors, through llama.cpp in a child process. Knows no files, chunks or tables."""
