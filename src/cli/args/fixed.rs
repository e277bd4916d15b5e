//! Options that are fixed when an index is made.

use std::path::Path;

use retune::{Error, Result};

/// Refuses a value other than the one that the index was made with.
pub(crate) fn fixed<T: PartialEq + ToString>(
    option: &'static str,
    given: Option<T>,
    stored: T,
    index: &Path,
) -> Result<()> {
    match given {
        Some(given) if given != stored => Err(Error::Invalid {
            what: option,
            found: given.to_string(),
            expected: format!(
                "{}, with which the index {} was made (leave the option out, or make another index)",
                stored.to_string(),
                index.display()
            ),
        }),
        _ => Ok(()),
    }
}
