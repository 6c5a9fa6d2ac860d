"""What a peer's own interpreter runs: reads {"root", "asked": [[query, hits]]}, writes a line of JSON a question."""
