"""The model at work: a child a lane, what waits for it, how long it may take, when it rests."""
