// Package health asks upstreams whether they live.
package health

import (
	"context"
	"net/http"
	"time"

	"example.org/gateway/internal/balance"
)

// Checker probes every upstream at an interval.
type Checker struct {
	balancer balance.Balancer
	interval time.Duration
	client   http.Client
}

// NewChecker makes one; nothing happens before Run.
func NewChecker(balancer balance.Balancer, interval time.Duration) *Checker {
	return &Checker{balancer: balancer, interval: interval, client: http.Client{Timeout: 2 * time.Second}}
}

// Run probes until ctx is done.
func (c *Checker) Run(ctx context.Context) {
	ticker := time.NewTicker(c.interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			for _, upstream := range c.balancer.All() {
				c.probe(ctx, upstream)
			}
		}
	}
}

// probe marks an upstream as up where /healthz answers 200, else as down.
func (c *Checker) probe(ctx context.Context, upstream *balance.Upstream) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, upstream.URL.JoinPath("healthz").String(), nil)
	if err != nil {
		return
	}
	response, err := c.client.Do(request)
	if err != nil {
		upstream.MarkDown()
		return
	}
	defer response.Body.Close()
	if response.StatusCode == http.StatusOK {
		upstream.MarkUp()
	} else {
		upstream.MarkDown()
	}
}
