// Package tokenbucket is a rate limiter: tokens drip into a bucket, each request takes one.
package tokenbucket

import (
	"sync"
	"time"
)

// Bucket fills at a rate up to a capacity.
type Bucket struct {
	mu       sync.Mutex
	rate     float64
	capacity float64
	tokens   float64
	last     time.Time
}

// New makes a full bucket.
func New(rate, capacity float64) *Bucket {
	return &Bucket{rate: rate, capacity: capacity, tokens: capacity, last: time.Now()}
}

// Take removes n tokens and reports whether there were enough.
func (b *Bucket) Take(n float64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	b.tokens = min(b.capacity, b.tokens+now.Sub(b.last).Seconds()*b.rate)
	b.last = now
	if b.tokens < n {
		return false
	}
	b.tokens -= n
	return true
}
