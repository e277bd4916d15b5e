# The commands that CI runs, and a few for the desk.

# Everything that decides whether a change lands.
ci:
    .ci/run

test:
    cargo test

# Starts a cluster of three nodes on loopback, prints their URLs. For RETUNE_TEST_STORE and `--store`.
cluster:
    tests/backend/start.sh 3

# Starts another one, of one node, with TLS and logins.
cluster-secured:
    RETUNE_CLUSTER_SECURED=1 tests/backend/start.sh

# Ends both and removes their data.
cluster-stop:
    tests/backend/stop.sh --wipe
    RETUNE_CLUSTER_SECURED=1 tests/backend/stop.sh --wipe

# The tests of indexes on a cluster.
test-cluster: cluster cluster-secured
    RETUNE_TEST_STORE=http://127.0.0.1:19200,http://127.0.0.1:19201,http://127.0.0.1:19202 \
        RETUNE_TEST_NODES=$PWD/tests/backend RETUNE_TEST_SECURED=https://127.0.0.1:19400 \
        RETUNE_TEST_SECURED_CA=${XDG_CACHE_HOME:-$HOME/.cache}/retune-cluster-secured/ca.pem \
        cargo test --features opensearch --test cluster

# Without the 438 MB model.
test-tiny:
    RETUNE_SKIP_REAL_MODEL=1 cargo test

lint:
    cargo fmt --check
    cargo clippy --all-targets --features opensearch -- -D warnings

doc:
    RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --lib

demo:
    cargo run --release -- demo

bench:
    cargo bench
