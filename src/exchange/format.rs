//! The formats to export in.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Result};

/// A format of the exported log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExchangeFormat {
    /// User Behavior Insights 1.3: one line for each query, as in OpenSearch's `ubi_queries`, followed by one for each
    /// judgement of its answer, as in `ubi_events`.
    #[default]
    Ubi,
    /// One line for each session, with what TREC's Session Track has of it: queries, ranked results, clicks and times.
    TrecSession,
}

impl ExchangeFormat {
    /// All of them.
    pub const ALL: [ExchangeFormat; 2] = [ExchangeFormat::Ubi, ExchangeFormat::TrecSession];

    /// The name: `ubi` or `trec-session`.
    pub fn name(self) -> &'static str {
        match self {
            ExchangeFormat::Ubi => "ubi",
            ExchangeFormat::TrecSession => "trec-session",
        }
    }
}

impl fmt::Display for ExchangeFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for ExchangeFormat {
    type Err = Error;

    fn from_str(text: &str) -> Result<ExchangeFormat> {
        let found = ExchangeFormat::ALL.into_iter().find(|format| format.name() == text);
        found.ok_or_else(|| Error::invalid("the format", format!("{text:?}"), "ubi or trec-session"))
    }
}
