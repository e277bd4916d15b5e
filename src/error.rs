//! What can go wrong, said so that the reader knows what to do next.

use std::io;
use std::path::{Path, PathBuf};

/// The result of every fallible operation of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Everything that can go wrong.
///
/// A message says what was being done, to what, what was found, what was expected, and what to do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The operating system refused a file operation.
    #[error("could not {doing} {}: {source}; {}", path.display(), remedy(source.kind()))]
    Io {
        /// The operation, as a verb phrase: "open", "write", "read the header of".
        doing: &'static str,
        /// The file or folder it was done to.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },

    /// A file of ours does not hold what it must: a wrong magic, a wrong checksum, an impossible length.
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

    /// A file of ours was written by a version of this crate that this one does not know.
    #[error(
        "{} has format version {found}, this retune reads version {supported}; \
         use the version that wrote it, or index the documents into a new folder", path.display()
    )]
    Version {
        /// The file.
        path: PathBuf,
        /// The version it carries.
        found: u32,
        /// The version this build reads and writes.
        supported: u32,
    },

    /// Another writer holds the index.
    #[error(
        "the index {} is open for writing in another process or handle; \
         close that one first, or open this one read-only", path.display()
    )]
    Locked {
        /// The index folder.
        path: PathBuf,
    },

    /// An argument, an option or an input value is not acceptable. Nothing was changed.
    #[error("{what} is not valid: found {found}, expected {expected}")]
    Invalid {
        /// The argument or option.
        what: &'static str,
        /// The value given.
        found: String,
        /// What is acceptable.
        expected: String,
    },

    /// A thing that was named does not exist.
    #[error("there is no {what} {id}; {remedy}")]
    NotFound {
        /// The kind of thing: "document", "query", "index", "generation".
        what: &'static str,
        /// Its name.
        id: String,
        /// What the user can do.
        remedy: &'static str,
    },

    /// A model folder could not be used.
    #[error("could not load the model in {}: {problem}; {remedy}", path.display())]
    Model {
        /// The model folder, or the file in it.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
        /// What the user can do.
        remedy: &'static str,
    },

    /// No source had the model.
    #[error(
        "the model was not found and could not be fetched; tried: {}; \
         give a sentence-transformers folder by hand with --model DIR or RETUNE_MODEL", tried.join("; ")
    )]
    ModelUnavailable {
        /// Each source that was tried, with the reason it failed.
        tried: Vec<String>,
    },

    /// The encoder failed inside a tensor operation.
    #[error("the encoder failed to {doing}: {message}; if it is not said how to help it, please report this")]
    Encoder {
        /// The operation, as a verb phrase.
        doing: &'static str,
        /// What the tensor library said.
        message: String,
    },

    /// The lexical index failed.
    #[error("the lexical index {} failed to {doing}: {message}", path.display())]
    Lexical {
        /// The operation, as a verb phrase.
        doing: &'static str,
        /// The folder of the lexical index.
        path: PathBuf,
        /// What the search library said, and what the user can do.
        message: String,
    },

    /// The part of the dense index that is in memory failed. Searches go on without it.
    #[error("the dense index {} failed to {doing}: {message}", path.display())]
    Dense {
        /// The operation, as a verb phrase.
        doing: &'static str,
        /// The folder of the dense index.
        path: PathBuf,
        /// What the library said.
        message: String,
    },

    /// The caller asked for the operation to stop. What it had committed stays; nothing is half done.
    #[error("{doing} was cancelled; nothing is half done, and it can be started again")]
    Cancelled {
        /// The operation that was stopped.
        doing: &'static str,
    },

    /// A change was asked of a handle that only reads.
    #[error("cannot {doing}: the index {} is open read-only; open it for writing", path.display())]
    ReadOnly {
        /// The operation, as a verb phrase.
        doing: &'static str,
        /// The index folder.
        path: PathBuf,
    },

    /// A round of learning is running already in this engine.
    #[error("cannot {doing}: a round of learning is running; wait for it or cancel it")]
    RoundRunning {
        /// The operation, as a verb phrase.
        doing: &'static str,
    },

    /// The handle was closed.
    #[error("cannot {doing}: the engine was closed; open it again")]
    Closed {
        /// The operation, as a verb phrase.
        doing: &'static str,
    },

    /// A background thread panicked. Searches go on.
    #[error("the background thread {thread} panicked: {message}; please report this")]
    Panicked {
        /// The name of the thread.
        thread: &'static str,
        /// The panic's message.
        message: String,
    },
}

/// What helps against a refusal of the operating system.
fn remedy(kind: io::ErrorKind) -> &'static str {
    match kind {
        io::ErrorKind::NotFound => "see that the path is right",
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            "give this user the right to it, or use another place"
        }
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "make room on the disk and try again",
        _ => "see that the disk is sound and try again",
    }
}

impl Error {
    /// For `map_err` on file operations: `fs::read(p).map_err(Error::io("read", p))`.
    pub(crate) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
        let path = path.to_path_buf();
        move |source| Error::Io { doing, path, source }
    }

    /// Of a damaged file, with a remedy that fits it better; any other error as it is.
    pub(crate) fn with_remedy(self, remedy: &'static str) -> Error {
        match self {
            Error::Damaged { path, found, expected, .. } => Error::Damaged { path, found, expected, remedy },
            other => other,
        }
    }

    /// An [`Error::Invalid`] from displayable parts.
    pub(crate) fn invalid(what: &'static str, found: impl ToString, expected: impl ToString) -> Error {
        Error::Invalid { what, found: found.to_string(), expected: expected.to_string() }
    }
}
