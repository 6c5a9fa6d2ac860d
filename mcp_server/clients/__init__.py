"""The files in which clients keep their servers: where they are, what stands in them, how codeloupe gets in and out."""
