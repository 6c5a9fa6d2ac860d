"""A child that runs llama.cpp: what goes on inside it, and how it is best started."""
