# The commands that CI runs, and a few for the desk.

# Everything that decides whether a change lands.
ci:
    .ci/run

test:
    cargo test

# Without the 438 MB model.
test-tiny:
    RETUNE_SKIP_REAL_MODEL=1 cargo test

lint:
    cargo fmt --check
    cargo clippy --all-targets -- -D warnings

doc:
    RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --lib

demo:
    cargo run --release -- demo

bench:
    cargo bench
