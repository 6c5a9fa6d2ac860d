"""One root's index: opened, held against its directory, brought up to date by whoever does that."""
