// Package proxy forwards requests to upstreams.
package proxy

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httputil"
	"time"

	"example.org/gateway/internal/balance"
)

// ErrNoUpstream is returned while every upstream is down.
var ErrNoUpstream = errors.New("proxy: no healthy upstream")

// Proxy is an http.Handler that sends each request to one upstream.
type Proxy struct {
	balancer balance.Balancer
	timeout  time.Duration
}

// New makes a proxy over the upstreams of a balancer.
func New(balancer balance.Balancer, timeout time.Duration) *Proxy {
	return &Proxy{balancer: balancer, timeout: timeout}
}

// ServeHTTP forwards one request; an upstream that fails is marked as down.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	upstream, err := p.pick()
	if err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), p.timeout)
	defer cancel()
	forward := httputil.NewSingleHostReverseProxy(upstream.URL)
	forward.ErrorHandler = func(w http.ResponseWriter, _ *http.Request, err error) {
		upstream.MarkDown()
		http.Error(w, fmt.Sprintf("proxy: upstream %s failed: %v", upstream.URL.Host, err), http.StatusBadGateway)
	}
	copyForwardedHeaders(r)
	forward.ServeHTTP(w, r.WithContext(ctx))
}

func (p *Proxy) pick() (*balance.Upstream, error) {
	upstream := p.balancer.Next()
	if upstream == nil {
		return nil, ErrNoUpstream
	}
	return upstream, nil
}

// copyForwardedHeaders tells the upstream who called: X-Forwarded-For, X-Forwarded-Host.
func copyForwardedHeaders(r *http.Request) {
	r.Header.Set("X-Forwarded-Host", r.Host)
	r.Header.Add("X-Forwarded-For", r.RemoteAddr)
}
