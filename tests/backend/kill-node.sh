#!/usr/bin/env bash
# kill-node.sh N: ends node N with kill -9, as a crash would.
. "$(dirname "$0")/common.sh"

load_state || die "no cluster in $DIR"
pid=$(node_pid "${1:?usage: kill-node.sh N}") || die "node-$1 does not run"
stop_pid 9 "$pid"
rm -f "$DIR/node-$1.pid"
