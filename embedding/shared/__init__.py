"""One service for all servers and commands of a user: a process, found through a private socket."""
