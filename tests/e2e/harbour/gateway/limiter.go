package main

import "sync"

// TokenBucket lets through so many radio calls per refill; a chatty ship must not drown the others.
type TokenBucket struct {
	mu     sync.Mutex
	tokens int
	size   int
}

// Allow takes one token if there is one.
func (b *TokenBucket) Allow() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.tokens == 0 {
		return false
	}
	b.tokens--
	return true
}

// Refill fills the bucket to the brim.
func (b *TokenBucket) Refill() {
	b.mu.Lock()
	b.tokens = b.size
	b.mu.Unlock()
}
