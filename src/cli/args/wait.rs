//! How long a verb waits for others.

use std::time::Duration;

use clap::builder::TypedValueParser;
use retune::Options;

/// How long to wait for another process that writes to the index.
#[derive(clap::Args, Clone)]
pub(crate) struct Wait {
    /// Longest time to wait for another process that writes to the index, in seconds. 0 fails at once.
    #[arg(
        long = "wait",
        value_name = "SECONDS",
        default_value = "10",
        value_parser = clap::value_parser!(u32).map(|seconds| Duration::from_secs(seconds.into()))
    )]
    longest: Duration,
}

impl Wait {
    pub(crate) fn apply(&self, options: Options) -> Options {
        options.with_lock_wait(self.longest)
    }
}
