"""What servers count and time of their work, where others find it, and how it is scraped (docs/metrics.md)."""
