//! Files that a verb writes at its end.

use std::path::Path;

use retune::{Error, Result};

/// Refuses a file that could not be written, if there is to be one: before something that may take an hour, not after it.
pub(super) fn check_folder_of(what: &'static str, path: Option<&Path>) -> Result<()> {
    let Some(path) = path else { return Ok(()) };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match folder.is_dir() && !path.is_dir() {
        true => Ok(()),
        false => Err(Error::Invalid {
            what,
            found: path.display().to_string(),
            expected: "a file in a folder that exists".into(),
        }),
    }
}
