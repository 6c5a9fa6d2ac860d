package proxy

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"example.org/gateway/internal/balance"
)

func TestRequestsWithoutUpstreamAreRefused(t *testing.T) {
	p := New(balance.NewRoundRobin(nil), time.Second)
	w := httptest.NewRecorder()
	p.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	if w.Code != http.StatusServiceUnavailable {
		t.Fatalf("status %d", w.Code)
	}
}

func TestForwardedHeadersNameTheCaller(t *testing.T) {
	r := httptest.NewRequest(http.MethodGet, "http://front.example/", nil)
	copyForwardedHeaders(r)
	if r.Header.Get("X-Forwarded-Host") != "front.example" {
		t.Fatal("the host is not forwarded")
	}
}
