// Package main is the gateway between radio and network.
package main

import (
	"log"
	"net/http"
)

func main() {
	mux := http.NewServeMux()
	mux.HandleFunc("/arrivals", onlyByDay(handleArrivals))
	log.Fatal(http.ListenAndServe(":8460", mux))
}

func handleArrivals(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write([]byte("[]"))
}
