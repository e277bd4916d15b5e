#!/usr/bin/env bash
# start-node.sh N: starts node N again with its old data; returns once it has joined.
. "$(dirname "$0")/common.sh"

load_state || die "no cluster in $DIR"
n=${1:?usage: start-node.sh N}
[[ $n =~ ^[1-9]$ ]] && [ "$n" -le "$NODES" ] || die "nodes are 1 to $NODES"
build
start_node "$n"
wait_ready "$n"
