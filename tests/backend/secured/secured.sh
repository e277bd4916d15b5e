# Sourced by common.sh: what a node with OpenSearch's security plugin needs beside the usual.

# Of the zip on Maven Central. Maven itself checks SHA-1 alone.
SECURITY_SHA256=94a04f12ac6033902209fac1e4e512618d45beee604bbf0e42c3ed79c55220cf

# Of internal_users.yml: somebody who may ask how the cluster is.
LOGIN=migrator:over-the-wall

# Names of jars without folder and version.
stems() { sed -n 's|.*/||; s|-[0-9][^/]*\.jar$||p'; }

# Unpacks the plugin; prints its jars without those that are in classpath $1 already.
security_jars() {
  local zip=$HERE/target/opensearch-security.zip to=$HERE/target/security jar stem have
  echo "$SECURITY_SHA256  $zip" | sha256sum -c --quiet >&2 || die "another file than expected: $zip"
  rm -rf "$to"
  python3 -m zipfile -e "$zip" "$to"
  have=$(tr ':' '\n' <<<"$1" | stems)
  for jar in "$to"/*.jar; do
    stem=$(stems <<<"$jar")
    grep -qxF -- "$stem" <<<"$have" || printf ':%s' "$jar"
  done
}

# make_certificate NAME EXTENSIONS [OPTIONS]: NAME.pem and NAME.key in $DIR, for a month.
make_certificate() {
  local name=$1 extension options=()
  for extension in $2; do options+=(-addext "$extension"); done
  openssl req -x509 -days 30 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$name" \
    -config <(printf '[req]\ndistinguished_name=name\n[name]\n') "${options[@]}" "${@:3}" \
    -keyout "$DIR/$name.key" -out "$DIR/$name.pem" 2>/dev/null || die "openssl made no certificate for $name"
}

# The folder of node $1 gets certificates, and the users and roles that the plugin begins with. An authority is made for
# each new cluster.
configure_node() {
  local config=$DIR/node-$1/config
  if [ ! -s "$DIR/ca.pem" ] || [ ! -d "$config" ]; then
    make_certificate ca 'basicConstraints=critical,CA:TRUE keyUsage=critical,keyCertSign'
    make_certificate node 'basicConstraints=critical,CA:FALSE subjectAltName=DNS:localhost,IP:127.0.0.1' \
      -CA "$DIR/ca.pem" -CAkey "$DIR/ca.key"
  fi
  mkdir -p "$config"
  cp "$DIR"/{ca.pem,node.pem,node.key} "$config"
  rm -rf "$config/opensearch-security"
  cp -r "$HERE/target/security/config" "$config/opensearch-security"
  cp "$HERE"/secured/*.yml "$config/opensearch-security"
}
