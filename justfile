# The commands that CI runs, and a few for the desk.

# Everything that decides whether a change lands.
ci:
    .ci/run

test:
    cargo test

# Starts a cluster of three nodes on loopback, prints their URLs. For RETUNE_TEST_STORE and `--store`.
cluster:
    tests/backend/start.sh 3

# Ends it and removes its data.
cluster-stop:
    tests/backend/stop.sh --wipe

# The tests of indexes on a cluster.
test-cluster: cluster
    RETUNE_TEST_STORE=http://127.0.0.1:19200,http://127.0.0.1:19201,http://127.0.0.1:19202 \
        RETUNE_TEST_NODES=$PWD/tests/backend cargo test --features opensearch --test cluster

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
