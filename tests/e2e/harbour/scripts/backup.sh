#!/usr/bin/env bash
# Nightly copy of the ledger; keeps seven.
set -euo pipefail

rotate_backups() {
  ls -1t backups/*.db | tail -n +8 | xargs -r rm --
}

sqlite3 ledger.db ".backup backups/$(date +%F).db"
rotate_backups
