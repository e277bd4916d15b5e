# Sourced by the other scripts. Settings come from the environment; a running
# cluster's own (number of nodes, port, heap, secured or not) are read back from its folder.
set -euo pipefail

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
SECURED=${RETUNE_CLUSTER_SECURED:+secured}
DIR=${RETUNE_CLUSTER_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/retune-cluster${SECURED:+-secured}}
PORT=${RETUNE_CLUSTER_PORT:-$([ -n "$SECURED" ] && echo 19400 || echo 19200)}
HEAP=${RETUNE_CLUSTER_HEAP:-512m}
WAIT=${RETUNE_CLUSTER_WAIT:-180}
NODES=3
CP_FILE=$HERE/target/run-classpath.txt
. "$HERE/secured/secured.sh"

die() { echo "$*" >&2; exit 1; }

load_state() { [ -f "$DIR/state" ] && . "$DIR/state"; }

save_state() {
  printf 'NODES=%s\nPORT=%s\nHEAP=%s\nSECURED=%s\n' "$NODES" "$PORT" "$HEAP" "$SECURED" >"$DIR/state"
}

# A process id can be reused after a reboot, so a pid counts only if its command
# line is that of this folder's launcher.
node_pid() {
  local pid
  pid=$(cat "$DIR/node-$1.pid" 2>/dev/null) || return 1
  { tr '\0' ' ' <"/proc/$pid/cmdline"; } 2>/dev/null |
    grep -qF "retune.backend.Launcher $1 $NODES $PORT $DIR " || return 1
  echo "$pid"
}

# 2.19.1 was tested on Java 17; take it or 21 even where another one is on PATH.
find_java() {
  local j
  for j in "${RETUNE_JAVA_HOME:-}" /usr/lib/jvm/*-17-* /usr/lib/jvm/*-21-*; do
    if [ -n "$j" ] && [ -x "$j/bin/java" ]; then echo "$j"; return; fi
  done
  j=$(command -v java) || die "no java: apt-get install openjdk-17-jdk-headless"
  dirname "$(dirname "$(readlink -f "$j")")"
}

# Builds once; again when a source changes or a cached jar is gone (~/.m2 wiped).
build() {
  local key usual
  key=$(cat "$HERE/pom.xml" "$HERE"/src/main/java/retune/backend/*.java \
    "$HERE"/src/main/resources/* "$HERE/secured/secured.sh" | sha256sum | cut -c1-16)
  if [ "$(cat "$HERE/target/key" 2>/dev/null)" = "$key" ] && [ -s "$CP_FILE.secured" ] &&
    tr ':' '\n' <"$CP_FILE.secured" | grep '\.jar$' | xargs -d '\n' ls >/dev/null 2>&1; then
    return
  fi
  rm -f "$HERE/target/key"
  command -v mvn >/dev/null || die "no mvn: apt-get install maven"
  JAVA_HOME=$(find_java) mvn -B -q -Dstyle.color=never -f "$HERE/pom.xml" ${RETUNE_MVN_ARGS:-} compile >&2
  usual=$HERE/target/classes:$(cat "$HERE/target/classpath.txt"):$(ls "$HERE"/target/knn/*.jar | paste -sd:)
  echo "$usual" >"$CP_FILE"
  echo "$usual$(security_jars "$usual")" >"$CP_FILE.secured"
  echo "$key" >"$HERE/target/key"
}

start_node() {
  local n=$1 java
  node_pid "$n" >/dev/null && return
  java=$(find_java)/bin/java
  mkdir -p "$DIR/node-$n"
  if [ -n "$SECURED" ]; then configure_node "$n"; fi
  # The last run's log is kept aside, and wait_ready must not read its ready line.
  if [ -f "$DIR/node-$n.log" ]; then mv -f "$DIR/node-$n.log" "$DIR/node-$n.log.1"; fi
  # Serial GC and no direct netty arenas: three nodes share a small machine.
  # C1 only: it halves the start (9 s to 5 s), and short tests never earn C2 back.
  # The lock's descriptor (9) is closed, or the node would hold it.
  setsid nohup "$java" -Xms64m "-Xmx$HEAP" -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:MaxDirectMemorySize=128m \
    -Dio.netty.allocator.numDirectArenas=0 -Dlog4j2.disable.jmx=true \
    -Dlog4j.shutdownHookEnabled=false -Djava.io.tmpdir="$DIR/node-$n" \
    -XX:+ExitOnOutOfMemoryError -XX:-UsePerfData ${RETUNE_CLUSTER_JAVA_OPTS:-} \
    -cp "$(cat "$CP_FILE${SECURED:+.secured}")" retune.backend.Launcher "$n" "$NODES" "$PORT" "$DIR" $SECURED \
    </dev/null >"$DIR/node-$n.log" 2>&1 9>&- &
  echo $! >"$DIR/node-$n.pid"
}

# Waits until node $1 says that it is ready; then prints its line.
wait_ready() {
  local n=$1 end=$((SECONDS + WAIT))
  until grep -m1 "^node-$n ready" "$DIR/node-$n.log" 2>/dev/null; do
    kill -0 "$(cat "$DIR/node-$n.pid")" 2>/dev/null || { tail -20 "$DIR/node-$n.log" >&2; die "node-$n died: $DIR/node-$n.log"; }
    [ $SECONDS -lt $end ] || die "node-$n not ready after $WAIT s: $DIR/node-$n.log"
    sleep 0.2
  done
}

# Prints the URL of node $1.
url() { echo "http${SECURED:+s}://127.0.0.1:$((PORT + $1 - 1))"; }

# Waits for $1 nodes and status green, asking node $2.
wait_green() {
  local url=$(url "$2")/_cluster/health end=$((SECONDS + WAIT)) login=() status=green
  # One node has no copies; and it knows its users some seconds after it is ready.
  if [ -n "$SECURED" ]; then login=(--cacert "$DIR/ca.pem" -u "$LOGIN") status=yellow; fi
  until curl -sf -m $((WAIT + 5)) "${login[@]}" \
    "$url?wait_for_nodes=$1&wait_for_status=$status&timeout=${WAIT}s" >/dev/null; do
    [ $SECONDS -lt $end ] || die "cluster not $status after $WAIT s: $(curl -s -m 5 "${login[@]}" "$url")"
    sleep 0.2
  done
}

stop_pid() { # SIGNAL PID
  kill "-$1" "$2" 2>/dev/null || return 0
  local i
  for i in $(seq 150); do kill -0 "$2" 2>/dev/null || return 0; sleep 0.1; done
  kill -9 "$2" 2>/dev/null || true
}

mkdir -p "$DIR"
DIR=$(cd "$DIR" && pwd)
# One script at a time for one folder.
exec 9>"$DIR/lock"
flock 9
