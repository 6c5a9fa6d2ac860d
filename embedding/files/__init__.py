"""A model's file: where it comes from, what it claims, whether that is so."""
