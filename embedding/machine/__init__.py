"""Memory and processor: what there is, who uses it, and how much of it is ours to use."""
