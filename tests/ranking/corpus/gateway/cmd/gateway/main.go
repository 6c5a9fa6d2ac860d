package main

import (
	"context"
	"flag"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"example.org/gateway/internal/balance"
	"example.org/gateway/internal/config"
	"example.org/gateway/internal/health"
	"example.org/gateway/internal/limit"
	"example.org/gateway/internal/proxy"
)

func main() {
	path := flag.String("config", "gateway.toml", "configuration file")
	flag.Parse()
	cfg, err := config.Load(*path)
	if err != nil {
		slog.Error("cannot start", "err", err)
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := serve(ctx, cfg); err != nil {
		slog.Error("gateway failed", "err", err)
		os.Exit(1)
	}
}

// serve runs until ctx is done, then waits for open requests to end.
func serve(ctx context.Context, cfg *config.Config) error {
	pool := balance.NewRoundRobin(cfg.Upstreams)
	go health.NewChecker(pool, cfg.HealthInterval).Run(ctx)
	handler := limit.Middleware(cfg.RequestsPerSecond, proxy.New(pool, cfg.UpstreamTimeout))
	server := &http.Server{Addr: cfg.Listen, Handler: handler, ReadHeaderTimeout: 5 * time.Second}
	go func() {
		<-ctx.Done()
		graceful, cancel := context.WithTimeout(context.Background(), 15*time.Second)
		defer cancel()
		_ = server.Shutdown(graceful)
	}()
	if err := server.ListenAndServe(); err != http.ErrServerClosed {
		return err
	}
	return nil
}
