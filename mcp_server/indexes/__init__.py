"""One root's index as a server keeps it: opened, brought up to date, watched."""
