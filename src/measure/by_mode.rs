//! One value for each mode.

use serde::Serialize;

use crate::Mode;
use crate::error::Result;

/// One value for each [`Mode`].
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ByMode<T> {
    /// For [`Mode::Dense`].
    pub dense: T,
    /// For [`Mode::Hybrid`].
    pub hybrid: T,
    /// For [`Mode::Lexical`].
    pub lexical: T,
}

impl<T> ByMode<T> {
    /// Computes the values one after another: lexical, dense, hybrid.
    ///
    /// # Errors
    /// The first error of `make`.
    pub fn make(mut make: impl FnMut(Mode) -> Result<T>) -> Result<ByMode<T>> {
        let (lexical, dense, hybrid) = (make(Mode::Lexical)?, make(Mode::Dense)?, make(Mode::Hybrid)?);
        Ok(ByMode { dense, hybrid, lexical })
    }

    /// The value of a mode.
    pub fn get(&self, mode: Mode) -> &T {
        match mode {
            Mode::Dense => &self.dense,
            Mode::Hybrid => &self.hybrid,
            Mode::Lexical => &self.lexical,
        }
    }

    /// The values with their modes: lexical, dense, hybrid.
    pub fn iter(&self) -> impl Iterator<Item = (Mode, &T)> {
        [Mode::Lexical, Mode::Dense, Mode::Hybrid].into_iter().map(|mode| (mode, self.get(mode)))
    }

    /// Applies `of` to each value.
    pub fn map<U>(&self, mut of: impl FnMut(&T) -> U) -> ByMode<U> {
        ByMode { dense: of(&self.dense), hybrid: of(&self.hybrid), lexical: of(&self.lexical) }
    }
}
