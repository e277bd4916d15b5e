#!/usr/bin/env bash
# pause-node.sh N SECONDS: node N does nothing for so long, as if its machine had too much to do.
. "$(dirname "$0")/common.sh"

[[ ${1:-} =~ ^[1-9]$ && ${2:-} =~ ^[0-9]+$ ]] || die "usage: pause-node.sh N SECONDS"
load_state || die "no cluster in $DIR"
pid=$(node_pid "$1") || die "node-$1 does not run"
# Other nodes may be paused meanwhile.
exec 9>&-
trap 'kill -CONT "$pid"' EXIT
kill -STOP "$pid"
sleep "$2"
