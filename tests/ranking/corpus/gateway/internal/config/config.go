// Package config reads gateway.toml.
package config

import (
	"fmt"
	"net/url"
	"time"

	"github.com/BurntSushi/toml"
)

// Config is everything the gateway can be told.
type Config struct {
	Listen            string
	Upstreams         []*url.URL
	UpstreamTimeout   time.Duration
	HealthInterval    time.Duration
	RequestsPerSecond float64
}

type file struct {
	Listen            string   `toml:"listen"`
	Upstreams         []string `toml:"upstreams"`
	TimeoutSeconds    float64  `toml:"timeout_seconds"`
	HealthSeconds     float64  `toml:"health_seconds"`
	RequestsPerSecond float64  `toml:"requests_per_second"`
}

// Load reads and checks a configuration file.
func Load(path string) (*Config, error) {
	var raw file
	if _, err := toml.DecodeFile(path, &raw); err != nil {
		return nil, fmt.Errorf("config: cannot read %s: %w", path, err)
	}
	cfg := &Config{
		Listen:            raw.Listen,
		UpstreamTimeout:   seconds(raw.TimeoutSeconds),
		HealthInterval:    seconds(raw.HealthSeconds),
		RequestsPerSecond: raw.RequestsPerSecond,
	}
	for _, text := range raw.Upstreams {
		address, err := url.Parse(text)
		if err != nil || address.Host == "" {
			return nil, fmt.Errorf("config: upstream %q is not a URL", text)
		}
		cfg.Upstreams = append(cfg.Upstreams, address)
	}
	return cfg, nil
}

func seconds(number float64) time.Duration {
	return time.Duration(number * float64(time.Second))
}
