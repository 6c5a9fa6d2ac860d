"""Lookup tables: files of token vectors, words that they lack, and making them out of a model."""
