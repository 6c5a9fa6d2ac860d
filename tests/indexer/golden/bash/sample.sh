#!/usr/bin/env bash
set -euo pipefail

readonly BARRELS=4
export CELLAR="/var/cellar"

# Fills one barrel.
fill() {
  local barrel="$1"
  if [[ ! -d "$CELLAR/$barrel" ]]; then
    mkdir -p "$CELLAR/$barrel"
  fi
  echo "filled $barrel"
}

function drain {
  rm -rf "${CELLAR:?}/$1"
}

alias cellar='cd $CELLAR'

for ((i = 0; i < BARRELS; i++)); do
  fill "barrel-$i"
done
