#!/usr/bin/env bash
# Brings the harbour up; refuses to start twice.
set -euo pipefail

lock_or_leave() {
  exec 9>/tmp/harbour.lock
  flock -n 9 || { echo "harbour is already running" >&2; exit 1; }
}

lock_or_leave
exec go run ./gateway
