"""A directory into rows: walk, chunk, embed, write."""
