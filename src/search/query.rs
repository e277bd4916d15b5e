//! Queries.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::fusion::Fusion;
use crate::lexical::Filter;

/// Which indexes answer a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Both, fused.
    #[default]
    Hybrid,
    /// BM25 alone. The query is not encoded.
    Lexical,
    /// The vector index alone.
    Dense,
}

impl Mode {
    /// The name in JSON and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Mode::Hybrid => "hybrid",
            Mode::Lexical => "lexical",
            Mode::Dense => "dense",
        }
    }
}

/// A query and its options.
///
/// ```
/// use retune::{Mode, Query};
/// let query = Query::new("how do I reset my password").with_limit(5).with_mode(Mode::Dense);
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Query {
    /// The user's words. There is no query syntax: every character is text.
    pub text: String,
    /// Maximum number of documents to return. Default 10.
    pub limit: usize,
    /// Which indexes answer. Default both.
    pub mode: Mode,
    /// How the two scores are fused. Default: the generation's own fusion, which learning may have set.
    pub fusion: Option<Fusion>,
    /// Return only documents whose metadata matches. Default all.
    pub filter: Option<Filter>,
    /// Minimum number of chunks that each index proposes. Default 100.
    pub candidates: usize,
    /// Whether documents with the same passage each take a place. Default false: the best takes one, and names the
    /// others in [`Hit::also_in`](crate::Hit::also_in).
    pub copies: bool,
    /// Whether to log the answer as an impression, so that users can judge it. Default true.
    pub log: bool,
    /// Whether to find the words in each passage that match the query. Takes a fraction of a millisecond per document.
    /// Default true.
    pub highlight: bool,
}

impl Query {
    /// A query with the defaults.
    pub fn new(text: impl Into<String>) -> Query {
        Query {
            text: text.into(),
            limit: 10,
            mode: Mode::default(),
            fusion: None,
            filter: None,
            candidates: 100,
            copies: false,
            log: true,
            highlight: true,
        }
    }

    /// Sets [`limit`](Query::limit).
    pub fn with_limit(mut self, limit: usize) -> Query {
        self.limit = limit;
        self
    }

    /// Sets [`mode`](Query::mode).
    pub fn with_mode(mut self, mode: Mode) -> Query {
        self.mode = mode;
        self
    }

    /// Sets [`fusion`](Query::fusion).
    pub fn with_fusion(mut self, fusion: Fusion) -> Query {
        self.fusion = Some(fusion);
        self
    }

    /// Sets [`filter`](Query::filter).
    pub fn with_filter(mut self, filter: Filter) -> Query {
        self.filter = Some(filter);
        self
    }

    /// Sets [`candidates`](Query::candidates).
    pub fn with_candidates(mut self, candidates: usize) -> Query {
        self.candidates = candidates;
        self
    }

    /// Turns on [`copies`](Query::copies).
    pub fn with_copies(mut self) -> Query {
        self.copies = true;
        self
    }

    /// Turns off [`log`](Query::log): for measurements, not for users.
    pub fn without_logging(mut self) -> Query {
        self.log = false;
        self
    }

    /// Turns off [`highlight`](Query::highlight): for callers that need many documents but show no passages.
    pub fn without_highlights(mut self) -> Query {
        self.highlight = false;
        self
    }

    /// Checks the query.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a limit or candidates of 0 or above 100,000, or an invalid fusion weight.
    pub(crate) fn validate(&self) -> Result<()> {
        const MOST: usize = 100_000;
        if !(1..=MOST).contains(&self.limit) {
            return Err(Error::invalid("the limit of a query", self.limit, format!("1 to {MOST}")));
        }
        if !(1..=MOST).contains(&self.candidates) {
            return Err(Error::invalid("the number of candidates", self.candidates, format!("1 to {MOST}")));
        }
        self.fusion.map_or(Ok(()), |fusion| fusion.validate())
    }
}
