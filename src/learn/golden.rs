//! Queries that must not get worse.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// A query with its answers, given by the application.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GoldenQuery {
    /// The query.
    pub text: String,
    /// Ids of the documents that answer it. At least one.
    pub relevant: Vec<String>,
}

impl GoldenQuery {
    pub(super) fn validate(&self) -> Result<()> {
        if !self.relevant.is_empty() && !self.text.trim().is_empty() {
            return Ok(());
        }
        let found = format!("{:?} with {} answers", self.text, self.relevant.len());
        Err(Error::invalid("a golden query", found, "a text with at least one answer"))
    }
}
