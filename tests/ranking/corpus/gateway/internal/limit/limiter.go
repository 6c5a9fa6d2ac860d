// Package limit keeps callers to a rate.
package limit

import (
	"net"
	"net/http"
	"sync"

	"example.org/gateway/third_party/tokenbucket"
)

// Limiter holds a bucket for each client address.
type Limiter struct {
	mu      sync.Mutex
	rate    float64
	buckets map[string]*tokenbucket.Bucket
}

// Allow reports whether a client may make another request now.
func (l *Limiter) Allow(client string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	bucket, known := l.buckets[client]
	if !known {
		bucket = tokenbucket.New(l.rate, l.rate*2)
		l.buckets[client] = bucket
	}
	return bucket.Take(1)
}

// Middleware answers 429 to clients that ask too often.
func Middleware(rate float64, next http.Handler) http.Handler {
	limiter := &Limiter{rate: rate, buckets: map[string]*tokenbucket.Bucket{}}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		client, _, _ := net.SplitHostPort(r.RemoteAddr)
		if !limiter.Allow(client) {
			w.Header().Set("Retry-After", "1")
			http.Error(w, "limit: too many requests", http.StatusTooManyRequests)
			return
		}
		next.ServeHTTP(w, r)
	})
}
