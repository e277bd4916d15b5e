//! Errors. Every message says what to do next.

use std::io;
use std::path::{Path, PathBuf};

/// The result of every fallible operation of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error of this crate.
///
/// The message says what was being done, to what, what was found, what was expected, and what to do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The operating system refused a file operation.
    #[error("could not {doing} {}: {source}; {}", path.display(), remedy(source.kind()))]
    Io {
        /// The operation, as a verb phrase: "open", "write", "read the header of".
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The operating system's error.
        source: io::Error,
    },

    /// A file of the index is damaged: a wrong magic number, a wrong checksum, an impossible length.
    #[error("{} is damaged: found {found}, expected {expected}; {remedy}", path.display())]
    Damaged {
        /// The damaged file.
        path: PathBuf,
        /// What was read.
        found: String,
        /// What should have been there.
        expected: String,
        /// What the user can do.
        remedy: &'static str,
    },

    /// A file of the index has a format version that this build can't read.
    #[error(
        "{} has format version {found}, but this retune reads version {supported}; \
         use the retune that wrote it, or index the documents into a new folder", path.display()
    )]
    Version {
        /// The file.
        path: PathBuf,
        /// The file's format version.
        found: u32,
        /// The version this build reads and writes.
        supported: u32,
    },

    /// Another writer has the index open, or is changing its feedback log.
    #[error(
        "{} is being written to by {}; close that one first, wait longer (the option lock_wait, --wait), \
         or open the index read-only", path.display(), holder.as_deref().unwrap_or("another process or handle")
    )]
    Locked {
        /// The index folder, or the folder of its feedback log.
        path: PathBuf,
        /// The process that holds the lock, if it is known.
        holder: Option<String>,
    },

    /// An argument, an option or an input value is not valid. Nothing was changed.
    #[error("could not use {what}: found {found}, expected {expected}")]
    Invalid {
        /// The argument or option.
        what: &'static str,
        /// The given value.
        found: String,
        /// What would be valid.
        expected: String,
    },

    /// A named object does not exist.
    #[error("there is no {what} {id}; {remedy}")]
    NotFound {
        /// The kind of object: "document", "query", "index", "generation".
        what: &'static str,
        /// The object's name.
        id: String,
        /// What the user can do.
        remedy: &'static str,
    },

    /// A model folder could not be used.
    #[error("could not load the model in {}: {problem}; {remedy}", path.display())]
    Model {
        /// The model folder, or a file in it.
        path: PathBuf,
        /// What is wrong with the model.
        problem: String,
        /// What the user can do.
        remedy: &'static str,
    },

    /// No source could provide the model.
    #[error(
        "the model was not found and could not be downloaded; tried: {}; \
         pass a sentence-transformers folder with --model DIR or RETUNE_MODEL", tried.join("; ")
    )]
    ModelUnavailable {
        /// The sources tried, each with the reason it failed.
        tried: Vec<String>,
    },

    /// The encoder failed inside a tensor operation.
    #[error("the encoder failed to {doing}: {message}. If the message does not help, please report this bug")]
    Encoder {
        /// The operation, as a verb phrase.
        doing: &'static str,
        /// The error, and what the user can do if it is not a bug.
        message: String,
    },

    /// The lexical index failed.
    #[error("the lexical index {} failed to {doing}: {message}", path.display())]
    Lexical {
        /// The operation, as a verb phrase.
        doing: &'static str,
        /// The folder of the lexical index.
        path: PathBuf,
        /// The search library's error, and what the user can do.
        message: String,
    },

    /// The part of the dense index that is in memory failed. Searches still work.
    #[error("the dense index {} failed to {doing}: {message}", path.display())]
    Dense {
        /// The operation, as a verb phrase.
        doing: &'static str,
        /// The folder of the dense index.
        path: PathBuf,
        /// The library's error message.
        message: String,
    },

    /// The caller cancelled the operation. Committed work stays; no step is left half done.
    #[error("{doing} was cancelled; what was committed stays, and it can be started again")]
    Cancelled {
        /// The cancelled operation.
        doing: &'static str,
    },

    /// A change was requested through a read-only handle, or of a folder that this process may not write to.
    #[error(
        "cannot {doing}: the index {} is open read-only or its folder can't be written; \
         open it for writing, as a user who may", path.display()
    )]
    ReadOnly {
        /// The operation, as a verb phrase.
        doing: &'static str,
        /// The index folder.
        path: PathBuf,
    },

    /// A learning round is already running in this engine.
    #[error("cannot {doing}: a learning round is running; wait for it or cancel it")]
    RoundRunning {
        /// The operation, as a verb phrase.
        doing: &'static str,
    },

    /// More was to be noted in a short time than a service takes. Nothing was changed.
    #[error("cannot {doing}: too much was noted in a short time; try again in a second")]
    TooFast {
        /// The operation, as a verb phrase.
        doing: &'static str,
    },

    /// A running service has refused something, or failed.
    #[error("{message}")]
    Service {
        /// What it said.
        message: String,
    },

    /// A cluster could not be asked, or has refused something.
    #[cfg(feature = "opensearch")]
    #[error("could not {doing} {at}: found {found}; {remedy}")]
    Cluster {
        /// The operation, as a verb phrase.
        doing: &'static str,
        /// The nodes, and what of them.
        at: String,
        /// What it answered, or why it did not.
        found: String,
        /// What the user can do.
        remedy: &'static str,
    },

    /// What only an index of this machine offers was asked of one on a cluster. Nothing was changed.
    #[cfg(feature = "opensearch")]
    #[error("cannot {doing} an index on a cluster; {remedy}")]
    OnCluster {
        /// The operation, as a verb phrase that the index follows: "learn from".
        doing: &'static str,
        /// Where it can be done.
        remedy: &'static str,
    },

    /// The handle was closed.
    #[error("cannot {doing}: the engine was closed; open it again")]
    Closed {
        /// The operation, as a verb phrase.
        doing: &'static str,
    },

    /// A background thread panicked. Searches still work.
    #[error("the background thread {thread} panicked: {message}. This is a bug in retune: please report it")]
    Panicked {
        /// The name of the thread.
        thread: &'static str,
        /// The panic's message.
        message: String,
    },
}

/// What the user can do about an error of the operating system.
fn remedy(kind: io::ErrorKind) -> &'static str {
    match kind {
        io::ErrorKind::NotFound => "check the path",
        io::ErrorKind::NotADirectory => "name a folder",
        io::ErrorKind::IsADirectory => "name a file",
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            "give this user access to it, or use another folder"
        }
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "free some disk space and try again",
        _ => "check the disk and try again",
    }
}

impl Error {
    /// For `map_err` on file operations: `fs::read(p).map_err(Error::io("read", p))`.
    pub(crate) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
        let path = path.to_path_buf();
        move |source| Error::Io { doing, path, source }
    }

    /// Replaces the remedy of [`Error::Damaged`]. Other errors stay as they are.
    pub(crate) fn with_remedy(self, remedy: &'static str) -> Error {
        match self {
            Error::Damaged { path, found, expected, .. } => Error::Damaged { path, found, expected, remedy },
            other => other,
        }
    }

    /// Makes an [`Error::Invalid`] from displayable parts.
    pub(crate) fn invalid(what: &'static str, found: impl ToString, expected: impl ToString) -> Error {
        Error::Invalid { what, found: found.to_string(), expected: expected.to_string() }
    }
}
