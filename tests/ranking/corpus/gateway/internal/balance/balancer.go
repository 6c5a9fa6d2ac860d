// Package balance chooses the upstream of a request.
package balance

import (
	"net/url"
	"sync/atomic"
)

// Upstream is one server behind the gateway.
type Upstream struct {
	URL  *url.URL
	down atomic.Bool
}

// MarkDown takes the upstream out of rotation until a health check succeeds.
func (u *Upstream) MarkDown() { u.down.Store(true) }

// MarkUp puts it back.
func (u *Upstream) MarkUp() { u.down.Store(false) }

// Balancer says which upstream is next; nil where none is healthy.
type Balancer interface {
	Next() *Upstream
	All() []*Upstream
}

// RoundRobin takes upstreams in turn and skips those that are down.
type RoundRobin struct {
	upstreams []*Upstream
	turn      atomic.Uint64
}

// NewRoundRobin makes a balancer over these addresses.
func NewRoundRobin(addresses []*url.URL) *RoundRobin {
	rr := &RoundRobin{}
	for _, address := range addresses {
		rr.upstreams = append(rr.upstreams, &Upstream{URL: address})
	}
	return rr
}

// Next is the next healthy upstream.
func (rr *RoundRobin) Next() *Upstream {
	for range rr.upstreams {
		upstream := rr.upstreams[rr.turn.Add(1)%uint64(len(rr.upstreams))]
		if !upstream.down.Load() {
			return upstream
		}
	}
	return nil
}

// All is every upstream, healthy or not.
func (rr *RoundRobin) All() []*Upstream { return rr.upstreams }
