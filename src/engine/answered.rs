//! The queries of the log, by pages.

use std::collections::HashMap;

use super::Reader;
use crate::error::{Error, Result};
use crate::feedback::{Heading, Impression, Judgement, normalise_query};
use crate::ids::QueryId;

/// Which queries of the log [`Reader::queries`] lists.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct QueryListing {
    /// Only queries behind this one: [`QueryPage::next`] of the page before. Default from the latest on.
    pub after: Option<QueryId>,
    /// Only queries with this in their text, in any case and with any white space. Default all.
    pub contains: Option<String>,
    /// Queries of a page at most. Default 100.
    pub limit: usize,
}

impl Default for QueryListing {
    fn default() -> Self {
        QueryListing { after: None, contains: None, limit: 100 }
    }
}

impl QueryListing {
    /// Sets [`after`](QueryListing::after).
    pub fn with_after(mut self, query_id: QueryId) -> QueryListing {
        self.after = Some(query_id);
        self
    }

    /// Sets [`contains`](QueryListing::contains).
    pub fn with_contains(mut self, text: impl Into<String>) -> QueryListing {
        self.contains = Some(text.into());
        self
    }

    /// Sets [`limit`](QueryListing::limit).
    pub fn with_limit(mut self, limit: usize) -> QueryListing {
        self.limit = limit;
        self
    }
}

/// Some of the queries that were answered, by any process.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct QueryPage {
    /// The latest first.
    pub queries: Vec<AnsweredQuery>,
    /// Where the next page begins; none on the last one.
    pub next: Option<QueryId>,
}

/// A query of the log with what was said of its documents.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct AnsweredQuery {
    /// The query and what it was shown.
    pub impression: Impression,
    /// In the order of their times.
    pub judgements: Vec<Judgement>,
}

impl Reader {
    /// A page of the queries in the log, the latest first. Goes through the whole log.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the query that the page is to begin behind was forgotten since; [`Error::ReadOnly`] if
    /// the folder can't be written.
    pub fn queries(&self, listing: &QueryListing) -> Result<QueryPage> {
        let log = self.log("list the queries")?;
        log.flush()?;
        let headings = log.headings()?;
        let mut latest = headings.all.iter().rev();
        if let Some(after) = listing.after
            && !latest.any(|one| one.query_id == after)
        {
            return Err(Error::NotFound {
                what: "answered query",
                id: after.to_string(),
                remedy: "it was forgotten since: list the log from its beginning",
            });
        }
        let wanted = listing.contains.as_deref().map(normalise_query);
        let fits = |one: &&Heading| {
            wanted.as_deref().is_none_or(|wanted| normalise_query(&one.query).contains(wanted))
        };
        let mut latest = latest.filter(fits).peekable();
        let shown: Vec<&Heading> = latest.by_ref().take(listing.limit).collect();
        let next = shown.last().map(|last| last.query_id).filter(|_| latest.peek().is_some());
        let mut judged: HashMap<QueryId, Vec<Judgement>> =
            shown.iter().map(|one| (one.query_id, Vec::new())).collect();
        for judgement in &headings.judgements {
            if let Some(own) = judged.get_mut(&judgement.query_id) {
                own.push(judgement.clone());
            }
        }
        let queries = shown.into_iter().filter_map(|one| {
            let judgements = judged.remove(&one.query_id).unwrap_or_default();
            Some(AnsweredQuery { impression: headings.impression(one)?, judgements })
        });
        Ok(QueryPage { queries: queries.collect(), next })
    }
}
