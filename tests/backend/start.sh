#!/usr/bin/env bash
# start.sh [NODES]: starts the cluster (default 3 nodes), or leaves a running one
# of the same size as it is; prints one URL a line once it is green.
# With RETUNE_CLUSTER_SECURED=1 it has one node, TLS and logins.
. "$(dirname "$0")/common.sh"

want=${1:-$([ -n "$SECURED" ] && echo 1 || echo 3)}
[[ $want =~ ^[1-9]$ ]] || die "usage: start.sh [1-9]"
port=$PORT heap=$HEAP secured=$SECURED
if load_state; then
  alive=
  for i in $(seq "$NODES"); do node_pid "$i" >/dev/null && alive=1; done
  if [ -n "$alive" ] && [ "$NODES:$PORT:$SECURED" != "$want:$port:$secured" ]; then
    die "a cluster of $NODES nodes at port $PORT runs in $DIR: stop.sh first"
  fi
  # Data of a cluster of another size may lack shards or a quorum.
  [ "$NODES" = "$want" ] || rm -rf "$DIR"/node-*
fi
NODES=$want PORT=$port HEAP=$heap SECURED=$secured
save_state
build
for i in $(seq "$NODES"); do start_node "$i"; done
for i in $(seq "$NODES"); do wait_ready "$i" >&2; done
wait_green "$NODES" 1
for i in $(seq "$NODES"); do url "$i"; done
