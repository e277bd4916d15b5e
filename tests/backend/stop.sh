#!/usr/bin/env bash
# stop.sh [--wipe]: stops all nodes; --wipe removes their data too.
. "$(dirname "$0")/common.sh"

load_state || true
for i in $(seq "$NODES"); do
  if pid=$(node_pid "$i"); then stop_pid TERM "$pid" & fi
done
wait
rm -f "$DIR"/node-*.pid
if [ "${1:-}" = --wipe ]; then rm -rf "$DIR"/node-* "$DIR"/{ca,node}.{pem,key} "$DIR/state"; fi
