//! The parts that differ between pages.

use crate::error::Result;

/// The title and the content of a page; the frame around them is always the same. Only this room defines parts.
pub trait Parts {
    /// Plain text.
    fn title(&self) -> String;

    /// Well-formed HTML.
    ///
    /// # Errors
    /// [`Error::Io`](crate::Error::Io) if a plot can't be drawn.
    fn content(&self) -> Result<String>;
}
