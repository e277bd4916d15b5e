//! Searching.

use super::Own;
use crate::access::answer::shown;
use crate::access::api::{SearchAnswer, SearchRequest, SimilarRequest};
use crate::access::asking::query;
use crate::access::likeness::similar;
use crate::access::pace::notice;
use crate::error::Result;

impl Own {
    /// As [`Access::search`](crate::access::Access::search).
    pub fn search(&self, request: &SearchRequest) -> Result<SearchAnswer> {
        let reader = self.reader()?;
        let folders = reader.folders()?;
        let query = self.pace.of_query(query(request, &folders)?);
        let mut answer = shown(reader.search(&query)?, &folders, reader.is_logging());
        answer.notices.extend(notice(request, &query));
        Ok(answer)
    }

    /// As [`Access::similar`](crate::access::Access::similar).
    pub fn similar(&self, request: &SimilarRequest) -> Result<SearchAnswer> {
        let reader = self.reader()?;
        let get = |document: &str| reader.get(document);
        let answer = similar(request, reader.coverage(), get, |query| reader.search(query))?;
        Ok(shown(answer, &reader.folders()?, reader.is_logging()))
    }
}
