//! Files that a verb writes at its end.

use std::path::Path;

use retune::{Error, Result};

/// Refuses a file that could not be written, if there is to be one: before something that may take an hour, not after it.
pub(super) fn check_place_of(what: &'static str, path: Option<&Path>) -> Result<()> {
    let Some(path) = path else { return Ok(()) };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // What is replaced there is a file: a link, a device or a pipe would be gone.
    let free = path.symlink_metadata().map_or(true, |found| found.is_file());
    match folder.is_dir() && free {
        true => Ok(()),
        false => Err(Error::Invalid {
            what,
            found: path.display().to_string(),
            expected: "a file in a folder that exists, and no folder, link or device in its place".into(),
        }),
    }
}
