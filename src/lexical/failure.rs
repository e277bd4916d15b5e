//! Turns tantivy's errors, and its panics over damaged files, into our errors.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use tantivy::TantivyError;
use tantivy::directory::error::{LockError, OpenReadError};

use crate::error::{Error, Result};

/// The remedy for a damaged lexical index. An engine without this folder starts with an empty one.
pub(crate) const REMEDY: &str = "restore the index's `lexical` folder from a backup, or delete this folder \
                                 (not the whole index) and index the documents again; trained models and \
                                 judgements are kept";

const VERSION: &str = "another version of the search library wrote it: use the version of retune that wrote it, \
                       or delete this folder and index the documents again; trained models and judgements \
                       are kept";

const TRY_AGAIN: &str = "check that the disk has room and the folder is writable, then try again";

/// Runs `f` and turns a panic into an error: tantivy trusts its files and may panic over damaged ones.
pub(super) fn guard<T>(
    doing: &'static str,
    path: &Path,
    f: impl FnOnce() -> tantivy::Result<T>,
) -> Result<T> {
    match catch_unwind(AssertUnwindSafe(f)) {
        Ok(result) => result.map_err(|e| translate(doing, path, &e)),
        Err(panic) => Err(lexical(doing, path, format!("{}; {REMEDY}", message_of(panic.as_ref())))),
    }
}

/// An error for data that tantivy read without complaint but that can't be right.
pub(super) fn damaged(doing: &'static str, path: &Path, found: impl std::fmt::Display) -> Error {
    lexical(doing, path, format!("{found}; {REMEDY}"))
}

fn lexical(doing: &'static str, path: &Path, message: String) -> Error {
    Error::Lexical { doing, path: path.to_path_buf(), message }
}

fn translate(doing: &'static str, path: &Path, error: &TantivyError) -> Error {
    let is_damage = match error {
        TantivyError::LockFailure(LockError::LockBusy, _) => {
            return Error::Locked { path: path.to_path_buf(), holder: None };
        }
        TantivyError::IncompatibleIndex(_)
        | TantivyError::OpenReadError(OpenReadError::IncompatibleIndex(_)) => {
            return lexical(doing, path, VERSION.into());
        }
        TantivyError::DataCorruption(_)
        | TantivyError::DeserializeError(_)
        | TantivyError::FieldNotFound(_)
        | TantivyError::SchemaError(_)
        | TantivyError::OpenReadError(OpenReadError::FileDoesNotExist(_)) => true,
        // A truncated file gives one of these kinds, a full disk or a missing permission another.
        TantivyError::IoError(e) => is_unreadable(e),
        TantivyError::OpenReadError(OpenReadError::IoError { io_error, .. }) => is_unreadable(io_error),
        _ => false,
    };
    lexical(doing, path, format!("{}; {}", described(error), if is_damage { REMEDY } else { TRY_AGAIN }))
}

/// The error in a line that begins with the file that it is about, if it is about one.
fn described(error: &TantivyError) -> String {
    match error {
        TantivyError::OpenReadError(OpenReadError::IoError { io_error, filepath }) => {
            format!("{}: {io_error}", filepath.display())
        }
        other => other.to_string(),
    }
}

fn is_unreadable(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{InvalidData, InvalidInput, NotFound, Other, UnexpectedEof};
    matches!(error.kind(), UnexpectedEof | InvalidData | InvalidInput | NotFound | Other)
}

fn message_of(panic: &(dyn Any + Send)) -> String {
    panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without a message".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_an_error_that_says_what_to_do() {
        let error =
            guard::<()>("read a chunk", Path::new("dir"), || panic!("index out of bounds")).unwrap_err();
        let text = error.to_string();
        assert!(text.contains("index out of bounds") && text.contains("index the documents again"), "{text}");
    }

    #[test]
    fn a_full_disk_is_not_called_damage() {
        let full = TantivyError::IoError(std::sync::Arc::new(std::io::ErrorKind::StorageFull.into()));
        let text = translate("commit", Path::new("dir"), &full).to_string();
        assert!(!text.contains("damaged"), "{text}");
    }
}
