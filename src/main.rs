//! The `retune` command-line program, a thin layer over the library.

#![deny(missing_docs, clippy::unwrap_used)]

mod cli;

fn main() -> std::process::ExitCode {
    cli::main()
}
