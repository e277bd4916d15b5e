//! Judging, the log, forgetting.

use super::{Own, check_limit};
use crate::access::api::{Asked, ForgetRequest, Forgotten, JudgeRequest, LogAnswer, LogRequest, Picked};
use crate::engine::{AnsweredQuery, QueryListing};
use crate::error::{Error, Result};
use crate::feedback::Verdict;

/// What reading a document says of it.
pub(super) const READ: Verdict = Verdict::Opened;
/// Queries of a page at most.
const MOST: usize = 1000;

impl Own {
    /// As [`Access::judge`](crate::access::Access::judge).
    pub fn judge(&self, request: &JudgeRequest) -> Result<()> {
        self.keep_pace("record a judgement")?;
        self.reader()?.judge(request.query_id, &request.document, request.verdict)
    }

    /// As [`Access::recent`](crate::access::Access::recent).
    pub fn recent(&self, request: &LogRequest) -> Result<LogAnswer> {
        check_limit(request.limit, MOST)?;
        let mut listing = QueryListing::default().with_limit(request.limit);
        listing.after = request.after;
        listing.contains.clone_from(&request.contains);
        let page = self.reader()?.queries(&listing)?;
        Ok(LogAnswer { queries: page.queries.into_iter().map(told).collect(), next: page.next })
    }

    /// As [`Access::forget`](crate::access::Access::forget).
    pub fn forget(&self, request: &ForgetRequest) -> Result<Forgotten> {
        let reader = self.reader()?;
        let records = match request {
            ForgetRequest { query: Some(text), query_id: None, document: None, everything: false } => {
                reader.forget_query(text)?
            }
            ForgetRequest { query: None, query_id: Some(id), document: None, everything: false } => {
                reader.forget_query_id(*id)?
            }
            ForgetRequest { query: None, query_id: None, document: Some(id), everything: false } => {
                reader.forget_document(id)?
            }
            ForgetRequest { query: None, query_id: None, document: None, everything: true } => {
                reader.forget_everything()?
            }
            _ => {
                let expected = "exactly one of query, query_id, document, everything";
                return Err(Error::invalid("what to forget", "none or several", expected));
            }
        };
        Ok(Forgotten { records })
    }
}

fn told(AnsweredQuery { impression, judgements, .. }: AnsweredQuery) -> Asked {
    let said = judgements.into_iter().map(|one| Picked { document: one.document, verdict: one.verdict });
    Asked {
        query_id: impression.query_id,
        at: impression.time_ms,
        session: impression.session,
        picked: said.collect(),
        query: impression.query,
    }
}
